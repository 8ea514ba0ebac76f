// What the text of a litmus test says of its order: which steps are over when another one begins.
#pragma once

#include <compare>
#include <optional>
#include <set>

#include "protocol/litmus.h"

namespace luf::protocol {

/// A step of a program, by its indices.
struct LitmusPlace {
  std::size_t processor = 0;
  std::size_t step = 0;
  auto operator<=>(const LitmusPlace&) const = default;
};

namespace litmus_text {

/// Can `step` end that wait?
inline bool ends(const LitmusStep& wait, const LitmusStep& step) {
  if (wait.act == LitmusAct::await)
    return step.act == LitmusAct::store_flag && step.flag == wait.flag && step.value != 0;
  switch (step.act) {
    case LitmusAct::store:
    case LitmusAct::write:
    case LitmusAct::copy:
    case LitmusAct::poke:
    case LitmusAct::unmap:
    case LitmusAct::forbid:
    case LitmusAct::truncate:
    case LitmusAct::drop:
    case LitmusAct::move:
      return step.page == wait.page;
    default:
      return false;
  }
}

/// The step that ends the wait at `at`; nothing when that is no wait, or when any of several may.
inline std::optional<LitmusPlace> awaited(const LitmusProgram& program, LitmusPlace at) {
  const LitmusStep& wait = program.processors[at.processor][at.step];
  if (wait.act != LitmusAct::await && wait.act != LitmusAct::await_page) return std::nullopt;
  std::optional<LitmusPlace> only;
  for (std::size_t i = 0; i < program.processors.size(); ++i) {
    for (std::size_t k = 0; k < program.processors[i].size(); ++k) {
      if (!ends(wait, program.processors[i][k])) continue;
      if (only) return std::nullopt;
      only = LitmusPlace{i, k};
    }
  }
  return only;
}

/// Adds what is over when the step at `at` begins. What is in `over` was added with all that it rests on.
inline void add_over(const LitmusProgram& program, LitmusPlace at, std::set<LitmusPlace>& over) {
  for (std::size_t k = 0; k < at.step; ++k) {
    const LitmusPlace before{at.processor, k};
    if (!over.insert(before).second) continue;
    if (const auto teller = awaited(program, before)) add_over(program, *teller, over);
  }
}

}  // namespace litmus_text

/// The steps that are over when the one at `at` begins, however the processors run: those before it and, where it has
/// waited, those before the step that ended the wait.
inline std::set<LitmusPlace> litmus_over(const LitmusProgram& program, LitmusPlace at) {
  std::set<LitmusPlace> over;
  litmus_text::add_over(program, at, over);
  return over;
}

/// Can no flush be under way that a step `promise`, which is over, need not have waited for? A batch of reclaim or migration that
/// is not over is one. A store and a write do not take the lock under which the others unmap: for these they count, too.
inline bool litmus_settled(const LitmusProgram& program, const std::set<LitmusPlace>& over,
                           LitmusAct promise) {
  const bool takes_no_lock = promise == LitmusAct::store || promise == LitmusAct::write;
  for (std::size_t i = 0; i < program.processors.size(); ++i) {
    for (std::size_t k = 0; k < program.processors[i].size(); ++k) {
      switch (program.processors[i][k].act) {
        case LitmusAct::migrate:
        case LitmusAct::reclaim:
          if (!over.contains({i, k})) return false;
          break;
        case LitmusAct::unmap:
        case LitmusAct::forbid:
        case LitmusAct::truncate:
        case LitmusAct::drop:
        case LitmusAct::move:
          if (takes_no_lock && !over.contains({i, k})) return false;
          break;
        default:
          break;
      }
    }
  }
  return true;
}

/// Does a step that is over promise anything of its page under that rule, apart from what its system call promises by
/// itself? Of R7, which is of stores: once a page is clean on the disk, none comes to it unseen.
inline bool litmus_promises(LitmusAct act, std::string_view rule) {
  if (rule == "R7") return act == LitmusAct::sync;
  return act == LitmusAct::store || act == LitmusAct::write || act == LitmusAct::copy ||
         act == LitmusAct::truncate;
}

}  // namespace luf::protocol
