# Every target of this project compiles with these; a warning is an error.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
                    -Woverloaded-virtual -Werror)

set(LUFBED_SANITIZE "" CACHE STRING "Sanitizers for the host side, e.g. address,undefined")
if(LUFBED_SANITIZE)
  set(LUFBED_SANITIZE_FLAGS -fsanitize=${LUFBED_SANITIZE} -fno-omit-frame-pointer)
endif()
