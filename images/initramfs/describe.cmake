# Stores the catalogue of parts that PROGRAM prints in OUTPUT.
execute_process(COMMAND ${PROGRAM} --describe OUTPUT_FILE ${OUTPUT} RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  file(REMOVE ${OUTPUT})
  message(FATAL_ERROR "${PROGRAM} --describe: ${result}")
endif()
