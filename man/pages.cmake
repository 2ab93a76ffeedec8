# Writes all man pages of one tool, as the tool itself describes them.
#   cmake -D PROGRAM=build/bin/banger-vm -D OUT=build/share/man/man1 -P pages.cmake
execute_process(COMMAND ${PROGRAM} __man OUTPUT_VARIABLE pages COMMAND_ERROR_IS_FATAL ANY
  OUTPUT_STRIP_TRAILING_WHITESPACE)
# Pages of verbs that are gone; "banger-*" are not the dispatcher's.
get_filename_component(tool ${PROGRAM} NAME)
if(NOT tool STREQUAL "banger")
  file(GLOB stale ${OUT}/${tool}-*.1)
  file(REMOVE ${OUT}/${tool}.1 ${stale})
endif()
string(REPLACE "\n" ";" pages "${pages}")
foreach(page IN LISTS pages)
  execute_process(COMMAND ${PROGRAM} __man ${page} OUTPUT_FILE ${OUT}/${page}.1
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
