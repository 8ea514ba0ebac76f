#!/usr/bin/env bash
# The files for containers, dashboards, batch systems and CI parse, name files and options that exist, and agree with each other.
# usage: files_test.sh LUFBED SOURCE_DIR
# shellcheck source-path=SCRIPTDIR source=../../harness/tests/lib.sh
set -u
lufbed=$1
source "$2/harness/tests/lib.sh"
cd "$2" || exit 1
scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT

# json FILE: a YAML file as JSON
json() { python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)' "$1"; }
# exists FILE WHERE: a path of the project
exists() { [ -e "$1" ] || die "$2 names $1, which is not there"; }

# ---- Dockerfile: what it copies, and the commands of ./lufbed that it runs
while read -r from; do exists "$from" docker/Dockerfile; done < <(sed -nE 's/^COPY ([^ ]+) .*/\1/p' docker/Dockerfile)
while read -r word; do
  grep -qE "^#   lufbed $word " lufbed || "$lufbed" "$word" --help > /dev/null || die "docker/Dockerfile: no lufbed $word"
done < <(sed -nE 's/^RUN \.\/lufbed ([a-z]+).*/\1/p' docker/Dockerfile)

# ---- compose: builds that Dockerfile, mounts and reads what is there
compose=$(json docker/compose.yaml) || die "compose.yaml is no YAML"
jq -e '.services | keys == ["campaign", "grafana", "lufbed", "prometheus"]' <<< "$compose" > /dev/null || die "other services"
dockerfile=$(jq -r '.services.lufbed.build | .context + "/" + .dockerfile' <<< "$compose")
exists "docker/$dockerfile" compose.yaml
for mount in $(jq -r '.services[].volumes[]' <<< "$compose"); do
  case $mount in
    ./*) exists "docker/${mount%%:*}" compose.yaml ;;
    *LUFBED_DATA:-*) mount=data ;&
    *) jq -e --arg name "${mount%%:*}" '.volumes | has($name)' <<< "$compose" > /dev/null || die "no volume ${mount%%:*}" ;;
  esac
done
for file in $(jq -r '.. | strings' <<< "$compose" | grep -oE '(docker|scenarios)/[a-zA-Z./_-]+'); do exists "$file" compose.yaml; done

# ---- dashboards: those mounted are those provisioned, and ask the data source that is provisioned
uid=$(json docker/grafana/provisioning/datasources/prometheus.yml | jq -r '.datasources[0].uid')
path=$(json docker/grafana/provisioning/dashboards/lufbed.yml | jq -r '.providers[0].options.path')
jq -e --arg path ":$path:" '.services.grafana.volumes | any(contains($path))' <<< "$compose" > /dev/null || die "nothing is mounted at $path"
jq -se --arg uid "$uid" '
  ([.[].uid] | length == (unique | length)) and length == 4 and
  all(.[]; (.title | length > 0) and ([.panels[].id] | length == (unique | length)) and
    all(.panels[], .templating.list[]; .datasource.uid == $uid) and
    all(.panels[].gridPos; .x + .w <= 24) and
    ([.templating.list[].name] as $known | [.. | .expr? // empty | scan("\\$([a-z]+)")[0]] | unique - $known == []))' \
  docker/grafana/dashboards/*.json > /dev/null || die "a dashboard has a twin, a panel too wide, another data source, or an unknown variable"

# ---- every call of lufbed in a file that others copy: the command and its options exist
# calls FILE...: a line for each, "FILE COMMAND OPTION..."
calls() {
  for file; do
    sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$file" | grep -v '^ *#' | tr -d '"' |
      grep -oE -- '(\./lufbed|LUFBED:-(\./)?lufbed\}|[$]lufbed) [a-z]+( [^|&;]*)?' | sed -E "s#^[^ ]+#$file#" |
      while read -r name command rest; do echo "$name $command $(grep -oE -- '--[a-z]+' <<< "$rest" | paste -sd' ')"; done
  done
}
called=0
while read -r file command options; do
  called=$((called + 1))
  ! grep -qE "^#   lufbed $command " lufbed || continue
  "$lufbed" "$command" --help > "$scratch" 2>&1 || die "$file: there is no lufbed $command"
  for option in $options; do grep -q -- "  $option\b" "$scratch" || die "$file: lufbed $command has no option $option"; done
done < <(calls docs/recipes/* docker/Dockerfile docker/compose.yaml)
[ $called -ge 16 ] || die "only $called calls of lufbed were found"
# Compose gives the arguments as lists.
"$lufbed" campaign --help > "$scratch"
for option in $(jq -r '.services.campaign.command[] | select(startswith("--"))' <<< "$compose"); do
  grep -q -- "  $option\b" "$scratch" || die "compose.yaml: lufbed campaign has no option $option"
done

# ---- recipes: YAML, and the shape that their programs ask for
documents() { python3 -c 'import json, sys, yaml; json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout)' "$1"; }
documents docs/recipes/kubernetes.yml | jq -e '
  [.[].kind] == ["PersistentVolumeClaim", "Job", "Job"] and (.[1].spec | .completionMode == "Indexed" and .completions == .parallelism) and
  (.[1].spec.completions as $n | .[1].spec.template.spec.containers[0].command[2] | contains("$shard/\($n) ")) and
  all(.[1:][]; .apiVersion == "batch/v1" and .spec.template.spec.volumes[0].persistentVolumeClaim.claimName == "lufbed")' \
  > /dev/null || die "kubernetes.yml is not the indexed job it says it is"
# A YAML parser of version 1.1 takes the key `on` for true.
documents docs/recipes/github.yml | jq -e '.[0] | has("true") and (.jobs.night.steps | length > 5 and all(has("run") or has("uses")))' \
  > /dev/null || die "github.yml"
documents docs/recipes/gitlab.yml | jq -e '.[0].night | (.script | all(type == "string")) and (.after_script | all(type == "string")) and
  .artifacts.when == "always" and (.cache | length == 2)' > /dev/null || die "gitlab.yml"
while read -r file; do exists "$file" docs/recipes; done < \
  <(grep -hoE '(docs|scenarios|guest-kernel)/[a-z-]+[a-z/.-]*[a-z]' docs/recipes/*)
