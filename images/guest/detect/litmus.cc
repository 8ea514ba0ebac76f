// Detector of any rule: a litmus test. Two to four processors carry out a few steps on a few pages; what their registers
// hold in the end is an outcome, and some outcomes must never come (docs/litmus.md has the language).
//
//   act, promise and publication are steps of the test: "write x 1; f = 1"
//   observe   the same: "await f; a = x"
//
// Where the text leaves no doubt that a step on the same page is over, the load says so to the oracle (lib/doorbell.h).
//
// Each page is a file of its own, in value 0 at first, which every processor has mapped and read, so that its TLB has an
// entry. Processors run on CPUs of their own, each in an address space of its own (`mm` each) or as threads of one
// process (one). Unmapping is a step as well, so no injector is needed and a test says in which order things happen.
// Proof of `rule`: an outcome that `forbidden` names. Proof of R8: a page shows somebody else's bytes. The metrics
// "outcome ..." are the histogram, `tries` counts rounds, `promises` those in which every step that unmaps did so.
// `loads` are loads of pages. Cannot see: what comes more seldom than the rounds that fit into the phase.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "lib/doorbell.h"
#include "lib/guarded_load.h"
#include "lib/litmus_pages.h"
#include "lib/params.h"
#include "lib/unmappers.h"
#include "protocol/litmus_order.h"
#include "protocol/litmus_parse.h"

namespace luf::guest {

namespace {

constexpr std::array<std::string_view, 11> kRules{"R1", "R2", "R3", "R4",  "R5", "R6",
                                                  "R7", "R8", "R9", "R10", "R11"};
constexpr std::array<std::string_view, 2> kMm{"each", "one"};
constexpr std::array<std::string_view, 3> kMap{"shared", "private", "writable"};  // as in LitmusMap
constexpr std::array<Param, 5> kParams{{
    {.name = "program",
     .type = ParamType::program,
     .default_choice = "",
     .summary = "the steps, a line a processor"},
    {.name = "forbidden",
     .type = ParamType::text,
     .default_choice = "",
     .summary = "outcomes that must never come, e.g. \"a=1 b=0 | a=F\""},
    choice_param("rule", kRules, "the rule that such an outcome breaks"),
    choice_param("mm", kMm, "an address space for each processor, or one for all"),
    choice_param("map", kMap, "how pages are mapped for loads, `copy` and `poke`"),
}};

/// What is done in a round, one after the other, by all processors at once.
enum Stage : std::uint64_t { kWarm = 1, kSteps, kClean, kStages = 3 };

/// Shared by the director and the processors. The director raises `stage`; a processor answers with the same number.
struct Board {
  alignas(64) std::atomic<std::uint64_t> stage;
  alignas(64) std::array<std::atomic<std::uint64_t>, protocol::kLitmusProcessors> done;
  alignas(64) std::array<std::atomic<std::uint64_t>, protocol::kLitmusFlags.size()> flags;
  std::array<std::atomic<std::uint64_t>, protocol::kLitmusRegisters.size()> registers;
  std::atomic<std::uint64_t> unmapped;  ///< steps of this round that did unmap
};

/// What the oracle is told before a step.
struct Rings {
  struct Promise {
    unsigned mark;
    bool settled;  ///< no flush that it need not have waited for is under way
  };
  std::optional<unsigned> mark;   ///< the step promises something
  std::vector<Promise> promises;  ///< of steps on the same page that are over
};

struct Test {
  PartContext& context;
  protocol::LitmusProgram program;
  Board* board;
  std::string rule;
  bool one_mm;
  LitmusMap map;
  std::vector<std::vector<Rings>> rings;  ///< by processor and step
};

struct Processor {
  Test& test;
  LitmusPages& pages;
  std::size_t index;
};

std::uint64_t value_of(Test& test, const Line& line, std::size_t page) {
  if (line == Line{}) return protocol::kLitmusZeros;
  if (!same_place(line, test.context.owner(), page, 0)) return protocol::kLitmusForeign;
  return line.version - 1;
}

std::uint64_t load_value(Test& test, LitmusPages& pages, std::size_t page) {
  test.context.loads().fetch_add(1, std::memory_order_relaxed);
  Line line{};
  if (!guarded_load(pages.view(page), line)) return protocol::kLitmusFault;
  return value_of(test, line, page);
}

Rings rings_of(const Test& test, protocol::LitmusPlace at) {
  const auto step_at = [&test](protocol::LitmusPlace place) -> const protocol::LitmusStep& {
    return test.program.processors[place.processor][place.step];
  };
  // A round is over for all before the next one begins: no more than the place need be told apart.
  const auto mark = [&test](protocol::LitmusPlace place) {
    return act_mark(test.context.index(), place.step, place.processor);
  };
  const protocol::LitmusStep& step = step_at(at);
  Rings rings;
  if (protocol::litmus_promises(step.act, test.rule)) rings.mark = mark(at);
  if (step.act != protocol::LitmusAct::load && step.act != protocol::LitmusAct::poke) return rings;
  const std::set<protocol::LitmusPlace> over = protocol::litmus_over(test.program, at);
  for (const protocol::LitmusPlace place : over) {
    const protocol::LitmusStep& before = step_at(place);
    // A copy is its address space's own: elsewhere the page stays what it is.
    const bool meant =
        before.act != protocol::LitmusAct::copy || test.one_mm || place.processor == at.processor;
    if (meant && before.page == step.page && protocol::litmus_promises(before.act, test.rule))
      rings.promises.push_back({mark(place), protocol::litmus_settled(test.program, over, before.act)});
  }
  return rings;
}

void ring(Processor& self, const Rings& rings, std::size_t page) {
  // A wait that ended because the phase does has learnt nothing.
  if (self.test.context.stopping()) return;
  if (rings.mark) ring_mark(*rings.mark);
  if (rings.promises.empty()) return;
  const bool quiet = UnmappersReturned(self.test.context.area()).all();  // injectors unmap, too
  for (const Rings::Promise& promise : rings.promises)
    (promise.settled && quiet ? ring_settled : ring_promise)(self.test.rule, promise.mark,
                                                             self.pages.view(page));
}

void carry_out(Processor& self, const protocol::LitmusStep& step) {
  Board& board = *self.test.board;
  auto& flag = board.flags[step.flag];
  auto& into = board.registers[step.into];
  switch (step.act) {
    case protocol::LitmusAct::load:
      return into.store(load_value(self.test, self.pages, step.page), std::memory_order_relaxed);
    case protocol::LitmusAct::poke:
      return into.store(self.pages.poke(step.page, step.value) ? step.value : protocol::kLitmusFault);
    case protocol::LitmusAct::disk:
      return into.store(value_of(self.test, self.pages.disk(step.page), step.page));
    case protocol::LitmusAct::load_flag:
      return into.store(flag.load(std::memory_order_acquire), std::memory_order_relaxed);
    case protocol::LitmusAct::store_flag:
      return flag.store(step.value, std::memory_order_release);
    case protocol::LitmusAct::await:
      while (flag.load(std::memory_order_acquire) == 0 && !self.test.context.stopping())
        __builtin_ia32_pause();
      return;
    case protocol::LitmusAct::await_page:
      while (load_value(self.test, self.pages, step.page) == 0 && !self.test.context.stopping())
        __builtin_ia32_pause();
      return;
    case protocol::LitmusAct::migrate:
      board.unmapped.fetch_add(self.pages.migrate(step.page) ? 1 : 0);
      return;
    case protocol::LitmusAct::reclaim:
      board.unmapped.fetch_add(self.pages.reclaim() ? 1 : 0);
      return;
    default:
      return self.pages.act(step);
  }
}

/// A processor's whole life.
void process(Processor self) {
  PartContext& context = self.test.context;
  Board& board = *self.test.board;
  const unsigned cpu = context.topology().cpus - 1 - static_cast<unsigned>(self.index);
  if (!pin_to_cpu(cpu)) context.fail("pin to CPU %u: %s", cpu, std::strerror(errno));
  for (std::uint64_t seen = 0; !context.stopping();) {
    const std::uint64_t stage = board.stage.load(std::memory_order_acquire);
    if (stage == seen) {
      __builtin_ia32_pause();
      continue;
    }
    seen = stage;
    switch ((stage - 1) % kStages + 1) {
      case kWarm:
        for (std::size_t page = 0; page < self.test.program.pages; ++page)
          load_value(self.test, self.pages, page);
        break;
      case kSteps:
        for (std::size_t i = 0; i < self.test.rings[self.index].size(); ++i) {
          const protocol::LitmusStep& step = self.test.program.processors[self.index][i];
          ring(self, self.test.rings[self.index][i], step.page);
          carry_out(self, step);
        }
        break;
      default:
        for (const protocol::LitmusStep& step : self.test.program.processors[self.index])
          self.pages.undo(step);
    }
    board.done[self.index].store(stage, std::memory_order_release);
  }
}

void* process_in_thread(void* processor) {
  process(*static_cast<Processor*>(processor));
  return nullptr;
}

void run_processors_as_threads(Test& test) {
  static LitmusPages pages(test.context, test.program.pages, test.map);
  static std::vector<Processor> processors;
  for (std::size_t i = 0; i < test.program.processors.size(); ++i) processors.push_back({test, pages, i});
  std::vector<pthread_t> threads(processors.size());
  for (std::size_t i = 1; i < processors.size(); ++i) {
    if (pthread_create(&threads[i], nullptr, process_in_thread, &processors[i]) != 0)
      test.context.fail("cannot make a thread");
  }
  process(processors[0]);
  for (std::size_t i = 1; i < processors.size(); ++i) pthread_join(threads[i], nullptr);
}

void start_processors(Test& test) {
  if (test.one_mm) {
    test.context.fork_pinned(0, [&test] { run_processors_as_threads(test); });
    return;
  }
  for (std::size_t i = 0; i < test.program.processors.size(); ++i) {
    test.context.fork_pinned(0, [&test, i] {
      LitmusPages pages(test.context, test.program.pages, test.map);
      process({test, pages, i});
    });
  }
}

/// Lets all processors go through the next stage. False: the phase is over, and waits may have ended for that alone.
bool next_stage(Test& test) {
  const std::uint64_t stage = test.board->stage.load() + 1;
  test.board->stage.store(stage, std::memory_order_release);
  Backoff backoff;
  for (std::size_t i = 0; i < test.program.processors.size(); ++i) {
    for (; test.board->done[i].load(std::memory_order_acquire) != stage; backoff.pause())
      if (test.context.stopping()) return false;
  }
  return !test.context.stopping();
}

void judge_round(Test& test) {
  PartContext& context = test.context;
  std::vector<std::uint64_t> registers;
  for (const auto& value : test.board->registers) registers.push_back(value.load());
  const std::string outcome = protocol::litmus_outcome(test.program, registers);
  context.metric("tries").fetch_add(1);
  if (test.board->unmapped.load() == test.program.unmaps) context.metric("promises").fetch_add(1);
  static std::map<std::string, std::atomic<std::uint64_t>*> histogram;
  auto& count = histogram[outcome];
  if (count == nullptr) {
    const std::string name = context.metrics_left() > 1 ? "outcome " + outcome : "outcome others";
    count = &context.metric(name.c_str());
  }
  count->fetch_add(1);
  const bool foreign = outcome.find("=X") != std::string::npos;
  if (!foreign && !protocol::litmus_matches(context.text("forbidden"), outcome)) return;
  const std::string detail =
      "The outcome " + outcome + (foreign ? " shows somebody else's bytes." : " is forbidden.");
  Evidence evidence;
  evidence.text("outcome", outcome);
  evidence.number("round", context.metric("tries"));
  context.report(foreign ? "R8" : test.rule, detail, evidence);
}

void clear(Board& board) {
  for (auto& flag : board.flags) flag.store(0);
  for (auto& value : board.registers) value.store(0);
  board.unmapped.store(0);
}

void direct(Test& test, LitmusFiles& files) {
  test.context.wait_for_start();
  while (!test.context.stopping()) {
    clear(*test.board);
    files.reset(test.program.changed);
    if (!next_stage(test) || !next_stage(test)) break;
    judge_round(test);
    if (!next_stage(test)) break;
    test.context.tick().fetch_add(1, std::memory_order_relaxed);
  }
  test.context.supervise();
}

void run(PartContext& context) {
  const auto map = std::find(kMap.begin(), kMap.end(), context.choice("map")) - kMap.begin();
  static Test test{context,
                   {},
                   nullptr,
                   context.choice("rule"),
                   context.choice("mm") == "one",
                   static_cast<LitmusMap>(map),
                   {}};
  const std::string problem = protocol::parse_litmus(context.text("program"), test.program);
  if (!problem.empty()) context.fail("the program: %s", problem.c_str());
  for (std::size_t i = 0; i < test.program.processors.size(); ++i) {
    auto& rings = test.rings.emplace_back();
    for (std::size_t k = 0; k < test.program.processors[i].size(); ++k)
      rings.push_back(rings_of(test, {i, k}));
  }
  if (test.program.processors.size() >= context.topology().cpus)
    context.fail("%zu processors need a CPU each, and one more", test.program.processors.size());
  void* at =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (at == MAP_FAILED) context.fail("mmap: %s", std::strerror(errno));
  test.board = static_cast<Board*>(at);
  for (const char* name : {"tries", "promises"}) context.metric(name);
  if (!install_load_guard()) context.fail("sigaction: %s", std::strerror(errno));
  LitmusFiles files(context, test.program.pages);
  start_processors(test);
  pin_to_cpu(0);
  direct(test, files);
}

}  // namespace

extern const Part litmus{
    .kind = PartKind::detector,
    .name = "litmus",
    .summary = "a small program on two to four CPUs, some outcomes of which must never come",
    .rules = kRules,
    .params = kParams,
    .needs_disk = true,
    .min_cpus = 3,
    .run = run};

}  // namespace luf::guest
