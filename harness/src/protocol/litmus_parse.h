// The language of litmus tests, for the host, which checks scenarios, and for the guest, which runs them.
#pragma once

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/litmus.h"

namespace luf::protocol {

namespace litmus_text {

using Words = std::vector<std::string>;

inline Words split(std::string_view text, char at) {
  Words parts;
  std::istringstream in{std::string(text)};
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

inline Words words_of(const std::string& text) {
  std::istringstream in(text);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// The index of a one-letter name; npos when it is none of them.
inline std::size_t named(const std::string& word, std::string_view names) {
  return word.size() == 1 ? names.find(word.front()) : std::string_view::npos;
}
inline bool is(const std::string& word, std::string_view names) {
  return named(word, names) != std::string_view::npos;
}

inline bool number(const std::string& word, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size() && value < 1'000'000;
}

struct Verb {
  std::string_view name;
  LitmusAct act;
  bool has_value;
};
inline constexpr Verb kVerbs[] = {
    {"write", LitmusAct::write, true},        {"copy", LitmusAct::copy, true},
    {"unmap", LitmusAct::unmap, false},       {"forbid", LitmusAct::forbid, false},
    {"truncate", LitmusAct::truncate, false}, {"migrate", LitmusAct::migrate, false},
    {"drop", LitmusAct::drop, false},         {"move", LitmusAct::move, false},
    {"sync", LitmusAct::sync, false},         {"poke", LitmusAct::poke, true},
    {"disk", LitmusAct::disk, false},
};

/// These tell how they ended, so they stand after "a =".
inline bool answers(LitmusAct act) { return act == LitmusAct::poke || act == LitmusAct::disk; }

/// "a = x", "a = f", "x = 1", "f = 1"
inline bool read_assignment(const Words& words, LitmusStep& step) {
  if (words.size() != 3 || words[1] != "=") return false;
  if (is(words[0], kLitmusRegisters)) {
    step.into = named(words[0], kLitmusRegisters);
    step.act = is(words[2], kLitmusPages) ? LitmusAct::load : LitmusAct::load_flag;
    if (step.act == LitmusAct::load) step.page = named(words[2], kLitmusPages);
    if (step.act == LitmusAct::load_flag) step.flag = named(words[2], kLitmusFlags);
    return step.act == LitmusAct::load || is(words[2], kLitmusFlags);
  }
  if (!number(words[2], step.value)) return false;
  step.act = is(words[0], kLitmusPages) ? LitmusAct::store : LitmusAct::store_flag;
  if (step.act == LitmusAct::store) step.page = named(words[0], kLitmusPages);
  if (step.act == LitmusAct::store_flag) step.flag = named(words[0], kLitmusFlags);
  return step.act == LitmusAct::store || is(words[0], kLitmusFlags);
}

/// "unmap x", "write x 1"
inline bool read_verb(const Words& words, LitmusStep& step) {
  for (const Verb& verb : kVerbs) {
    if (words.empty() || words[0] != verb.name) continue;
    if (words.size() != (verb.has_value ? 3U : 2U) || !is(words[1], kLitmusPages)) return false;
    step.act = verb.act;
    step.page = named(words[1], kLitmusPages);
    return !verb.has_value || number(words[2], step.value);
  }
  return false;
}

/// "a = poke x 1", "a = disk x"
inline bool read_answer(const Words& words, LitmusStep& step) {
  if (words.size() < 3 || words[1] != "=" || !is(words[0], kLitmusRegisters)) return false;
  step.into = named(words[0], kLitmusRegisters);
  return read_verb(Words(words.begin() + 2, words.end()), step) && answers(step.act);
}

/// All that has no register.
inline bool read_plain(const Words& words, LitmusStep& step) {
  if (words.size() == 1 && words[0] == "reclaim") {
    step.act = LitmusAct::reclaim;
    return true;
  }
  if (words.size() == 2 && words[0] == "await") {
    step.act = is(words[1], kLitmusPages) ? LitmusAct::await_page : LitmusAct::await;
    if (step.act == LitmusAct::await_page) step.page = named(words[1], kLitmusPages);
    if (step.act == LitmusAct::await) step.flag = named(words[1], kLitmusFlags);
    return step.act == LitmusAct::await_page || is(words[1], kLitmusFlags);
  }
  if (words.size() == 2 && words[0] == "pause") {
    step.act = LitmusAct::pause;
    return number(words[1], step.value);
  }
  return read_verb(words, step) && !answers(step.act);
}

inline bool read_step(const Words& words, LitmusStep& step) {
  return read_assignment(words, step) || read_answer(words, step) || read_plain(words, step);
}

inline void take(const LitmusStep& step, LitmusProgram& program) {
  const bool on_page = step.act != LitmusAct::load_flag && step.act != LitmusAct::store_flag &&
                       step.act != LitmusAct::await && step.act != LitmusAct::reclaim &&
                       step.act != LitmusAct::pause;
  if (on_page) program.pages = std::max(program.pages, step.page + 1);
  if (step.act == LitmusAct::load || step.act == LitmusAct::load_flag || answers(step.act))
    program.registers[step.into] = true;
  if (step.act == LitmusAct::migrate || step.act == LitmusAct::reclaim) ++program.unmaps;
  if (step.act == LitmusAct::store || step.act == LitmusAct::write || step.act == LitmusAct::truncate ||
      step.act == LitmusAct::poke)
    program.changed[step.page] = true;
}

inline std::string value_text(std::uint64_t value) {
  if (value == kLitmusFault) return "F";
  if (value == kLitmusForeign) return "X";
  return value == kLitmusZeros ? "Z" : std::to_string(value);
}

}  // namespace litmus_text

/// Reads "P0: step; step" lines. Returns what is wrong with the text, or nothing.
inline std::string parse_litmus(std::string_view text, LitmusProgram& program) {
  program = {};
  program.registers.assign(kLitmusRegisters.size(), false);
  program.changed.assign(kLitmusPages.size(), false);
  for (const std::string& line : litmus_text::split(text, '\n')) {
    if (litmus_text::words_of(line).empty()) continue;
    const std::string head = "P" + std::to_string(program.processors.size()) + ":";
    const std::size_t begin = line.find(head);
    if (begin == std::string::npos || litmus_text::words_of(line).front().substr(0, head.size()) != head)
      return "\"" + line + "\": the next line must begin with " + head;
    auto& steps = program.processors.emplace_back();
    for (const std::string& part : litmus_text::split(line.substr(begin + head.size()), ';')) {
      const litmus_text::Words words = litmus_text::words_of(part);
      if (words.empty()) continue;
      LitmusStep step{};
      if (!litmus_text::read_step(words, step)) return "\"" + part + "\" of " + head + " is no step";
      litmus_text::take(step, program);
      steps.push_back(step);
    }
  }
  if (program.processors.size() < 2 || program.processors.size() > kLitmusProcessors)
    return "two to four processors are needed";
  if (program.pages == 0) return "no step names a page (x, y, z)";
  return {};
}

/// "a=1 b=F", in the order of the names.
inline std::string litmus_outcome(const LitmusProgram& program, const std::vector<std::uint64_t>& registers) {
  std::string text;
  for (std::size_t i = 0; i < program.registers.size(); ++i) {
    if (!program.registers[i]) continue;
    text += (text.empty() ? "" : " ") + std::string(1, kLitmusRegisters[i]) + "=" +
            litmus_text::value_text(registers[i]);
  }
  return text;
}

/// The outcome holds all of the words of one of the alternatives, as in "a=1 b=0 | a=X".
inline bool litmus_matches(std::string_view alternatives, std::string_view outcome) {
  const litmus_text::Words seen = litmus_text::words_of(std::string(outcome));
  for (const std::string& alternative : litmus_text::split(alternatives, '|')) {
    const litmus_text::Words wanted = litmus_text::words_of(alternative);
    if (!wanted.empty() && std::all_of(wanted.begin(), wanted.end(), [&seen](const std::string& word) {
          return std::find(seen.begin(), seen.end(), word) != seen.end();
        }))
      return true;
  }
  return false;
}

}  // namespace luf::protocol
