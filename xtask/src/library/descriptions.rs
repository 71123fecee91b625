//! What other programs have to know to use the installed library.

use std::path::{Component, Path};

use super::{ABI, VERSION};

/// What a program needs beside the static library: what the standard library of Rust is linked with.
const PRIVATE: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc";

/// For pkg-config.
pub(super) fn pkg_config(prefix: &Path, libdir: &Path) -> String {
    let libdir = within(prefix, libdir);
    let libdir = if libdir.is_absolute() {
        libdir.display().to_string()
    } else {
        format!("${{exec_prefix}}/{}", libdir.display())
    };
    let prefix = prefix.display();
    format!(
        "prefix={prefix}
exec_prefix=${{prefix}}
libdir={libdir}
includedir=${{prefix}}/include

Name: pushmq
Description: MQTT client that knows what was delivered
Version: {VERSION}
Cflags: -I${{includedir}}
Libs: -L${{libdir}} -lpushmq
Libs.private: {PRIVATE}
"
    )
}

/// For CMake's `find_package`. It says where things are from where it lies itself, so that the whole can be moved. That is
/// where it really lies: it may have been found below a link, as /lib is one to /usr/lib, beside which there are no headers.
pub(super) fn cmake(prefix: &Path, libdir: &Path) -> String {
    let libdir = within(prefix, libdir);
    let prefix = if libdir.is_absolute() {
        prefix.display().to_string()
    } else {
        let up = libdir
            .components()
            .filter(|part| matches!(part, Component::Normal(_)));
        format!("${{_pushmq_libdir}}{}", "/..".repeat(up.count()))
    };
    let private = PRIVATE.replace(' ', ";");
    format!(
        r#"# pushmq: MQTT client that knows what was delivered.
# Targets: pushmq::pushmq, the shared library, and pushmq::static.
get_filename_component(_pushmq_libdir "${{CMAKE_CURRENT_LIST_DIR}}/../.." REALPATH)
get_filename_component(_pushmq_prefix "{prefix}" ABSOLUTE)
if(NOT TARGET pushmq::pushmq)
  add_library(pushmq::pushmq SHARED IMPORTED)
  set_target_properties(pushmq::pushmq PROPERTIES
    IMPORTED_LOCATION "${{_pushmq_libdir}}/libpushmq.so.{VERSION}"
    IMPORTED_SONAME "libpushmq.so.{ABI}"
    INTERFACE_INCLUDE_DIRECTORIES "${{_pushmq_prefix}}/include")
  add_library(pushmq::static STATIC IMPORTED)
  set_target_properties(pushmq::static PROPERTIES
    IMPORTED_LOCATION "${{_pushmq_libdir}}/libpushmq.a"
    INTERFACE_INCLUDE_DIRECTORIES "${{_pushmq_prefix}}/include"
    INTERFACE_LINK_LIBRARIES "{private}")
endif()
unset(_pushmq_libdir)
unset(_pushmq_prefix)
"#
    )
}

/// Which versions CMake may take this one for: older ones of the same binary interface, on the same kind of machine.
pub(super) fn cmake_version() -> String {
    let major = VERSION.split('.').next().unwrap_or_default();
    let bytes = size_of::<usize>();
    format!(
        r#"set(PACKAGE_VERSION "{VERSION}")
if(PACKAGE_FIND_VERSION VERSION_LESS_EQUAL PACKAGE_VERSION
    AND (NOT PACKAGE_FIND_VERSION OR PACKAGE_FIND_VERSION_MAJOR EQUAL {major}))
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
else()
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
endif()
# Where no language is enabled, nobody knows.
if(CMAKE_SIZEOF_VOID_P AND NOT CMAKE_SIZEOF_VOID_P EQUAL {bytes})
  set(PACKAGE_VERSION_UNSUITABLE TRUE)
endif()
"#
    )
}

/// Some distributions give the whole path of the folder of libraries.
fn within<'a>(prefix: &Path, libdir: &'a Path) -> &'a Path {
    libdir.strip_prefix(prefix).unwrap_or(libdir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pkg_config_is_told_where_everything_is() {
        let text = pkg_config(Path::new("/opt/x"), Path::new("lib64"));
        assert!(text.starts_with("prefix=/opt/x\n"), "{text}");
        assert!(text.contains("libdir=${exec_prefix}/lib64\n"), "{text}");
        for (libdir, told) in [
            ("/opt/x/lib64", "${exec_prefix}/lib64"),
            ("/elsewhere", "/elsewhere"),
        ] {
            let text = pkg_config(Path::new("/opt/x"), Path::new(libdir));
            assert!(text.contains(&format!("\nlibdir={told}\n")), "{text}");
        }
    }

    #[test]
    fn cmake_finds_the_headers_from_the_folder_of_libraries() {
        for (libdir, prefix) in [
            ("lib", "${_pushmq_libdir}/.."),
            ("lib/x86_64-linux-gnu", "${_pushmq_libdir}/../.."),
            ("/opt/x/lib64", "${_pushmq_libdir}/.."),
            ("/elsewhere", "/opt/x"),
        ] {
            let text = cmake(Path::new("/opt/x"), Path::new(libdir));
            let line = format!("get_filename_component(_pushmq_prefix \"{prefix}\" ABSOLUTE)\n");
            assert!(text.contains(&line), "{text}");
        }
    }
}
