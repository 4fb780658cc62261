# Lets a threaded module start its threads from its own address instead of its name, which bundlers change.
#   cmake -DMODULE=dist/wisp-mt.mjs -P own-address.cmake
cmake_path(GET MODULE FILENAME name)
file(READ "${MODULE}" text)
string(REPLACE "new URL(\"${name}\",import.meta.url)" "new URL(import.meta.url)" changed "${text}")
if(changed STREQUAL text)
  message(FATAL_ERROR "${name} starts its threads in a way that own-address.cmake does not know.")
endif()
file(WRITE "${MODULE}" "${changed}")
