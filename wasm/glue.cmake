# Mends what bundlers stumble over in the glue that Emscripten makes: a threaded module starts its threads from its own
# address instead of its name, which they change; Node's modules come without an import, which they would follow.
#   cmake -DMODULE=dist/wisp-mt.mjs -P glue.cmake
cmake_path(GET MODULE FILENAME name)
file(READ "${MODULE}" text)
string(REPLACE "new URL(\"${name}\",import.meta.url)" "new URL(import.meta.url)" changed "${text}")
if(name MATCHES "-mt" AND changed STREQUAL text)
  message(FATAL_ERROR "${name} starts its threads in a way that glue.cmake does not know.")
endif()
string(REGEX REPLACE "await import\\(([\"'])(node:)?(module|worker_threads)[\"']\\)"
  "process.getBuiltinModule(\\1\\3\\1)" changed "${changed}")
if(changed MATCHES "await import\\(")
  message(FATAL_ERROR "${name} imports Node's modules in a way that glue.cmake does not know.")
endif()
file(WRITE "${MODULE}" "${changed}")
