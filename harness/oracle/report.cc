#include "report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace luf::oracle {
namespace {

using Word = unsigned long long;

void print(std::string& text, const char* format, ...) __attribute__((format(printf, 2, 3)));
void print(std::string& text, const char* format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  text += line;
}

const char* access_name(std::uint8_t access) {
  return access == kStore ? "store" : access == kFetch ? "instruction fetch" : "load";
}

std::string place(const ReportSetup& setup, std::uint64_t pc) {
  const bool kernel = pc >> 63U != 0;
  const Symbols* symbols = kernel ? setup.kernel : setup.program;
  char bare[24];
  std::snprintf(bare, sizeof(bare), "0x%llx", static_cast<Word>(pc));
  if (symbols == nullptr || symbols->empty()) return bare;
  const std::string name = symbols->describe(pc);
  return name == bare ? name : name + " (" + bare + ")";
}

/// "1.234 ms and 567890 instructions"
std::string span(const Moment& from, const Moment& to) {
  char text[80];
  std::snprintf(text, sizeof(text), "%.3f us and %llu instructions",
                static_cast<double>(to.ns - from.ns) / 1000.0,
                static_cast<Word>(to.instructions - from.instructions));
  return text;
}

/// "CPU 1 (task reclaim)"
std::string who(const Actor& actor) {
  std::string text = "CPU " + std::to_string(actor.vcpu);
  if (actor.task[0] != '\0') text += std::string(" (task ") + actor.task.data() + ")";
  return text;
}

std::string bytes(const std::array<std::uint8_t, 16>& raw) {
  std::string text;
  for (const std::uint8_t byte : raw) print(text, "%02x ", byte);
  text.pop_back();
  return text;
}

std::string owner_text(const Owner& owner) {
  std::string text;
  if (!owner.known) return "cannot be told";
  print(text, "mapping 0x%llx index 0x%llx references %d", static_cast<Word>(owner.mapping),
        static_cast<Word>(owner.index), owner.references);
  return text;
}

void print_since(std::string& text, const ReportSetup& setup, const Finding& finding) {
  const Change& change = finding.change;
  print(text, "  the frame since then:\n");
  print(text, "    owner then: %s\n    owner now:  %s\n", owner_text(change.owner).c_str(),
        owner_text(finding.owner_now).c_str());
  if (change.deferred)
    print(text, "    the unmapper went on without its flush %s after the change\n",
          span(change.when, change.deferred_at).c_str());
  if (change.stored)
    print(text, "    stored to at offset %llu by %s at %s in address space 0x%llx, %s after the change\n",
          static_cast<Word>(change.stored_offset), who(change.storer).c_str(),
          place(setup, change.storer.pc).c_str(), static_cast<Word>(change.storer.root),
          span(change.when, change.stored_at).c_str());
  if (finding.difference) {
    print(text, "    first different bytes, at offset %zu:\n      then %s\n      now  %s\n",
          finding.difference->offset, bytes(finding.difference->before).c_str(),
          bytes(finding.difference->after).c_str());
  } else {
    print(text, "    no byte of it is known to differ\n");
  }
}

void print_finding(std::string& text, const ReportSetup& setup, const Finding& finding) {
  const Change& change = finding.change;
  print(text, "\n==== R%u, %llu times: a %s%s through an entry that is not true: %s\n", finding.rule,
        static_cast<Word>(finding.count.load()), finding.by_kernel ? "kernel " : "",
        access_name(finding.access), finding.reason);
  if (finding.phase >= 0) print(text, "  phase %d of the scenario\n", finding.phase);
  print(text, "  access:  %s, address space 0x%llx, address 0x%llx, by %s\n", who(finding.by).c_str(),
        static_cast<Word>(finding.by.root), static_cast<Word>(finding.address),
        place(setup, finding.by.pc).c_str());
  print(text, "  its TLB: frame 0x%llx; the page table: entry 0x%llx on level %u\n",
        static_cast<Word>(finding.frame), static_cast<Word>(finding.entry_now), finding.level_now);
  print(text,
        "  the entry was true until it was %s, from 0x%llx to 0x%llx,\n    by %s at %s in address space "
        "0x%llx,\n"
        "    %s before this access\n",
        to_string(change.kind), static_cast<Word>(change.old_entry), static_cast<Word>(change.new_entry),
        who(change.actor).c_str(), place(setup, change.actor.pc).c_str(),
        static_cast<Word>(change.actor.root), span(change.when, finding.when).c_str());
  for (const Promise* promise : {&change.strong, &change.weak}) {
    if (promise->rule == 0) continue;
    print(text, "  promise passed: R%u, %s, %s before this access%s\n", promise->rule, promise->what,
          span(promise->when, finding.when).c_str(),
          promise->at_once ? "" : ", unless a batch was in flight");
  }
  print_since(text, setup, finding);
}

void print_histogram(std::string& text, const char* name, const Histogram& histogram) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : histogram.buckets) sum += count;
  print(text, "%-22s", name);
  for (std::size_t i = 0; sum != 0 && i < histogram.buckets.size(); ++i) {
    if (histogram.buckets[i] != 0) print(text, " <2^%zu:%llu", i, static_cast<Word>(histogram.buckets[i]));
  }
  text += sum == 0 ? " -\n" : "\n";
}

std::string quoted(const std::string& plain) {
  std::string text = "\"";
  for (const char letter : plain) {
    if (letter == '"' || letter == '\\') text += '\\';
    text += letter;
  }
  return text + "\"";
}

void histogram_json(std::string& text, const char* name, const Histogram& histogram) {
  print(text, "%s\"%s\": [", text.back() == '{' ? "" : ", ", name);
  std::size_t last = histogram.buckets.size();
  while (last > 0 && histogram.buckets[last - 1] == 0) --last;
  for (std::size_t i = 0; i < last; ++i)
    print(text, "%s%llu", i == 0 ? "" : ", ", static_cast<Word>(histogram.buckets[i]));
  text += "]";
}

/// What led to a violation, the earliest first: where, how long before the access, and what.
void marks_json(std::string& text, const ReportSetup& setup, const Finding& finding) {
  struct Mark {
    Moment when;
    unsigned vcpu = 0;
    std::string what;
  };
  const Change& change = finding.change;
  std::vector<Mark> marks{
      {change.when, change.actor.vcpu,
       "the entry is " + std::string(to_string(change.kind)) + " at " + place(setup, change.actor.pc)}};
  if (change.deferred)
    marks.push_back({change.deferred_at, change.actor.vcpu, "its flush is put off, its frame is held"});
  if (change.stored)
    marks.push_back({change.stored_at, change.storer.vcpu,
                     "the frame is stored to at " + place(setup, change.storer.pc)});
  for (const Promise* promise : {&change.strong, &change.weak}) {
    if (promise->rule == 0) continue;
    marks.push_back({promise->when, promise->vcpu,
                     "promise of R" + std::to_string(promise->rule) + ": " + promise->what});
  }
  marks.push_back({finding.when, finding.by.vcpu,
                   std::string("a ") + access_name(finding.access) + " through the old entry at " +
                       place(setup, finding.by.pc)});
  std::stable_sort(marks.begin(), marks.end(),
                   [](const Mark& one, const Mark& other) { return one.when.ns < other.when.ns; });
  text += ", \"marks\": [";
  for (const Mark& mark : marks) {
    const std::uint64_t before = finding.when.ns > mark.when.ns ? finding.when.ns - mark.when.ns : 0;
    print(text, "%s{\"cpu\": %u, \"before_ns\": %llu, \"what\": ", text.back() == '[' ? "" : ", ", mark.vcpu,
          static_cast<Word>(before));
    text += quoted(mark.what) + "}";
  }
  text += "]";
}

void finding_json(std::string& text, const ReportSetup& setup, const Finding& finding) {
  const Change& change = finding.change;
  print(
      text,
      "{\"phase\": %d, \"rule\": \"R%u\", \"count\": %llu, \"access\": \"%s\", \"kernel\": %s, \"cpu\": %u, ",
      finding.phase, finding.rule, static_cast<Word>(finding.count.load()), access_name(finding.access),
      finding.by_kernel ? "true" : "false", finding.by.vcpu);
  print(text,
        "\"address_space\": \"0x%llx\", \"address\": \"0x%llx\", \"frame\": \"0x%llx\", \"entry_now\": "
        "\"0x%llx\", ",
        static_cast<Word>(finding.by.root), static_cast<Word>(finding.address),
        static_cast<Word>(finding.frame), static_cast<Word>(finding.entry_now));
  text += "\"task\": " + quoted(finding.by.task.data()) +
          ", \"changed_by_task\": " + quoted(change.actor.task.data()) +
          ", \"pc\": " + quoted(place(setup, finding.by.pc)) + ", \"reason\": " + quoted(finding.reason) +
          ", \"change\": " + quoted(to_string(change.kind)) +
          ", \"changed_by\": " + quoted(place(setup, change.actor.pc));
  print(text, ", \"changed_on_cpu\": %u, \"age_ns\": %llu, \"age_instructions\": %llu, \"deferred\": %s",
        change.actor.vcpu, static_cast<Word>(finding.when.ns - change.when.ns),
        static_cast<Word>(finding.when.instructions - change.when.instructions),
        change.deferred ? "true" : "false");
  const Promise& promise = change.strong.rule != 0 ? change.strong : change.weak;
  if (promise.rule != 0) {
    print(text, ", \"promise\": {\"rule\": \"R%u\", \"age_ns\": %llu, \"what\": ", promise.rule,
          static_cast<Word>(finding.when.ns - promise.when.ns));
    text += quoted(promise.what) + "}";
  }
  if (change.stored) text += ", \"stored_by\": " + quoted(place(setup, change.storer.pc));
  if (finding.difference) print(text, ", \"differs_at\": %zu", finding.difference->offset);
  marks_json(text, setup, finding);
  text += "}";
}

}  // namespace

std::string report_text(const ReportSetup& setup, const Oracle::Numbers& numbers, const Findings& findings,
                        const std::vector<Oracle::Unknown>& unknown) {
  std::string text;
  const auto& classes = numbers.classes;
  print(
      text,
      "oracle, level %s%s: %llu accesses checked, %llu could not be decided, %llu changes of used entries\n",
      setup.level.c_str(), setup.complete ? "" : ", INCOMPLETE", static_cast<Word>(numbers.checked),
      static_cast<Word>(numbers.undecided), static_cast<Word>(numbers.changes));
  print(text, "stale accesses: window %llu deferred %llu violation %llu unknown %llu\n",
        static_cast<Word>(classes[0]), static_cast<Word>(classes[1]), static_cast<Word>(classes[2]),
        static_cast<Word>(classes[3]));
  if (!setup.deferrals_visible)
    text += "deferrals cannot be seen on this kernel: deferred accesses count as window\n";
  text += setup.single ? "\nages in ns of virtual time, of instructions carried out, by power of two\n"
                       : "\nages in ns of virtual time, by power of two\n";
  for (std::size_t i = 0; i < kClasses; ++i)
    print_histogram(text, to_string(static_cast<Class>(i)), numbers.ages[i]);
  print_histogram(text, "change to flush", numbers.clear_to_flush);
  print_histogram(text, "change to last use", numbers.clear_to_last);
  print_histogram(text, "change to reuse", numbers.clear_to_reuse);
  if (!unknown.empty()) text += "\nthe first that could not be judged:\n";
  for (const Oracle::Unknown& one : unknown) {
    print(text,
          "  %s%s of 0x%llx in address space 0x%llx by %s: TLB frame 0x%llx, entry 0x%llx on level %u: %s\n",
          one.access.by_kernel ? "kernel " : "", access_name(one.access.kind),
          static_cast<Word>(one.access.address), static_cast<Word>(one.root),
          place(setup, one.access.pc).c_str(), static_cast<Word>(one.access.frame),
          static_cast<Word>(one.truth.entry), one.truth.level, one.reason);
  }
  if (findings.overflow() != 0)
    print(text, "\n%llu kinds of violation are not told\n", static_cast<Word>(findings.overflow()));
  for (const auto& finding : findings.all()) print_finding(text, setup, *finding);
  return text;
}

std::string report_json(const ReportSetup& setup, const Oracle::Numbers& numbers, const Findings& findings) {
  std::string text = "{\"version\": 1";
  print(text,
        ", \"complete\": %s, \"level\": \"%s\", \"checked\": %llu, \"undecided\": %llu, \"instructions\": "
        "%llu, ",
        setup.complete ? "true" : "false", setup.level.c_str(), static_cast<Word>(numbers.checked),
        static_cast<Word>(numbers.undecided), static_cast<Word>(numbers.instructions));
  print(text, "\"changes\": %llu, \"tables\": %llu, \"deferrals_visible\": %s,\n \"classes\": {",
        static_cast<Word>(numbers.changes), static_cast<Word>(numbers.tables),
        setup.deferrals_visible ? "true" : "false");
  for (std::size_t i = 0; i < kClasses; ++i)
    print(text, "%s\"%s\": %llu", i == 0 ? "" : ", ", to_string(static_cast<Class>(i)),
          static_cast<Word>(numbers.classes[i]));
  text += "},\n \"histograms_ns\": {";
  for (std::size_t i = 0; i < kClasses; ++i)
    histogram_json(text, to_string(static_cast<Class>(i)), numbers.ages[i]);
  histogram_json(text, "change_to_flush", numbers.clear_to_flush);
  histogram_json(text, "change_to_last_use", numbers.clear_to_last);
  histogram_json(text, "change_to_reuse", numbers.clear_to_reuse);
  text += "},\n \"findings\": [";
  bool first = true;
  for (const auto& finding : findings.all()) {
    text += first ? "\n  " : ",\n  ";
    first = false;
    finding_json(text, setup, *finding);
  }
  return text + "]}\n";
}

}  // namespace luf::oracle
