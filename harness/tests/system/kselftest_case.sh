#!/usr/bin/env bash
# Tests that end alike with LUF on and off make no difference, also when they fail; one that sees LUF does. A list of its
# own stands in for the kernel's tests, which take half an hour.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
root=$work/root
mkdir -p "$root/selftests"
gcc -static -O -o "$root/selftests/probe" -xc - <<'C' || die "no static program"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
int main(int argc, char **argv)
{
	FILE *enabled = fopen("/sys/kernel/mm/luf/enabled", "r");
	if (argc > 1 && !strcmp(argv[1], "exit"))
		return atoi(argv[2]);
	if (argc > 1 && !strcmp(argv[1], "busy")) {
		time_t end = time(NULL) + 3;
		while (time(NULL) < end)
			;
		return 0;
	}
	for (int i = 0; i < 4000; i++)
		printf("progress that is overwritten, %d of 4000\r", i);
	printf("# what failed\n");
	printf("ok 1 - first\nnot ok 2 second # SKIP no reason\n");
	return enabled && fgetc(enabled) == '1';
}
C
kselftest() {
  printf '%s\n' "$@" 'out other needs a module' > "$root/selftests/list"
  TMPDIR=$work timeout -k 10 400 "$lufbed" kselftest --image-dir "$images" --kernel "$vmlinux" --tests-dir "$root" \
    --runs "$work/runs" > "$log" 2>&1
}
kselftest 'run probe busy' 'run probe exit 0' 'run probe exit 1' 'run probe exit 4' 'run absent'
expect_code $? 0
expect_line '^left out other: needs a module$'
expect_line '^probe exit 0  *pass  *pass  *pass *$'
expect_line '^probe exit 1  *FAIL (exit 1)  *FAIL (exit 1)  *FAIL (exit 1) *$'
expect_line '^probe exit 4  *skip  *skip  *skip *$'
expect_line '^absent  *FAIL (exit 127)'
expect_line '^5 tests and 0 subtests: 5 the same in all runs, 0 unsteady without LUF, 0 different with LUF$'
kselftest 'run probe busy' 'run probe'
expect_code $? 1
expect_line '^probe  *pass  *FAIL (exit 1)  *pass  *<- differs$'
expect_line '^2 tests and 2 subtests: 3 the same'
grep -q '# what failed' "$work/runs/kselftest/2-luf-on/2/console.log" || die "progress hides what failed"
! grep -q 'progress that' "$work/runs/kselftest/2-luf-on/2/console.log" || die "progress fills the console"
rm "$root/selftests/list"
"$lufbed" kselftest --image-dir "$images" --kernel "$vmlinux" --tests-dir "$root" > "$log" 2>&1
expect_code $? 2
expect_line '^no selftests in '
