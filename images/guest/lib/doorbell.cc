#include "lib/doorbell.h"

#include <sys/mman.h>

#include "lib/page_pattern.h"
#include "protocol/doorbell.h"

namespace luf::guest {

namespace {

using protocol::Ring;

bool mapped = false;

void store(std::uint64_t word) {
  if (!mapped) return;
  // Before it: what the promise rests on. After it: what may rest on the promise.
  __atomic_store_n(reinterpret_cast<std::uint64_t*>(protocol::kDoorbellAddress), word, __ATOMIC_SEQ_CST);
}

void store(Ring ring, std::string_view rule, unsigned mark, const void* address) {
  unsigned number = 0;
  for (const char digit : rule.substr(1)) number = number * 10 + static_cast<unsigned>(digit - '0');
  store(protocol::doorbell_word(ring, number, mark, reinterpret_cast<std::uint64_t>(address) / kPageSize));
}

}  // namespace

bool map_doorbell() {
  void* at = mmap(reinterpret_cast<void*>(protocol::kDoorbellAddress), kPageSize, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  mapped = at != MAP_FAILED;
  return mapped;
}

unsigned act_mark(unsigned part, std::uint64_t page, std::uint64_t act) {
  return ((part & 15U) << 8U) | static_cast<unsigned>((page & 63U) << 2U) | static_cast<unsigned>(act & 3U);
}

void ring_mark(unsigned mark) { store(protocol::doorbell_word(Ring::kMark, 0, mark, 0)); }

void ring_promise(std::string_view rule, unsigned mark, const void* address) {
  store(Ring::kPromise, rule, mark, address);
}

void ring_settled(std::string_view rule, unsigned mark, const void* address) {
  store(Ring::kSettled, rule, mark, address);
}

void ring_phase(std::uint64_t phase) { store(protocol::doorbell_word(Ring::kPhase, 0, 0, phase)); }

}  // namespace luf::guest
