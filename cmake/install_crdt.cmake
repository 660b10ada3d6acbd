# `cmake --install build/release --prefix WHERE` installs the engine as a library: find_package(DiaryxCrdt), target diaryx::crdt, the
# headers of core/base and core/crdt and nothing else. tests/install proves it with a project outside the tree.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

foreach(room base crdt)
  set_target_properties(diaryx_${room} PROPERTIES EXPORT_NAME ${room})
  target_compile_features(diaryx_${room} PUBLIC cxx_std_23)
  install(DIRECTORY core/${room}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
endforeach()
install(TARGETS diaryx_base diaryx_crdt EXPORT DiaryxCrdtTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# The targets file needs nothing that is not in it, so it is the configuration as well.
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/DiaryxCrdt)
install(EXPORT DiaryxCrdtTargets NAMESPACE diaryx:: DESTINATION ${package} FILE DiaryxCrdtConfig.cmake)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/DiaryxCrdtConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/DiaryxCrdtConfigVersion.cmake DESTINATION ${package})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
