# CMake toolchain for WASI: a wasi-sdk named by WASI_SDK_PATH, else clang with Debian's wasi-libc and compiler-rt.
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_VERSION 1)
set(CMAKE_SYSTEM_PROCESSOR wasm32)

set(WASI_SDK_PATH "$ENV{WASI_SDK_PATH}" CACHE PATH "A wasi-sdk; empty: the system's clang and wasi-libc")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WASI_SDK_PATH)

if(WASI_SDK_PATH)
  set(bin "${WASI_SDK_PATH}/bin")
  set(CMAKE_C_COMPILER "${bin}/clang")
  set(CMAKE_SYSROOT "${WASI_SDK_PATH}/share/wasi-sysroot")
  set(CMAKE_C_COMPILER_TARGET wasm32-wasip1)
else()
  set(bin "")
  find_program(CMAKE_C_COMPILER NAMES clang-19 clang-20 clang-21 clang REQUIRED)
  set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
  string(REGEX MATCH "-[0-9]+$" version "${CMAKE_C_COMPILER}")
endif()
find_program(CMAKE_AR NAMES llvm-ar${version} HINTS ${bin} REQUIRED)
find_program(CMAKE_RANLIB NAMES llvm-ranlib${version} HINTS ${bin} REQUIRED)

set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
