#include "lib/shared_area.h"

#include <sys/mman.h>

namespace luf::guest {

SharedArea* map_shared_area() {
  // Filled at once: readers must not fault on it while they spin.
  void* at = mmap(nullptr, sizeof(SharedArea), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return at == MAP_FAILED ? nullptr : static_cast<SharedArea*>(at);
}

void unmap_shared_area(SharedArea* area) { munmap(area, sizeof(SharedArea)); }

}  // namespace luf::guest
