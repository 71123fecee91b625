//! Programs made from the header: they call every function there is, so that none is forgotten.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::program::{Program, ROOT, built};

/// A function of the header.
struct Function {
    name: String,
    result: String,
    parameters: usize,
    /// It returns a status, and its last parameter takes an error.
    is_fallible: bool,
}

impl Function {
    /// A call with nothing but zeros, which are NULL where a pointer is wanted.
    fn call(&self) -> String {
        format!("{}({})", self.name, vec!["0"; self.parameters].join(", "))
    }
}

fn functions() -> Vec<Function> {
    let header = fs::read_to_string(Path::new(ROOT).join("include/pushmq.h")).unwrap();
    // Without comments, what ends in ");" and begins with a result and a name is a function.
    let mut code = String::new();
    let mut rest = header.as_str();
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").unwrap().1;
    }
    code.push_str(rest);
    let lines: Vec<_> = code
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    lines
        .join(" ")
        .split(';')
        .filter_map(|statement| {
            let (before, parameters) = statement.strip_suffix(')')?.split_once('(')?;
            if before.contains("typedef") {
                return None;
            }
            let start = before.rfind("pmq_")?;
            let (result, name) = before.split_at(start);
            // What opens and closes the block for C++ stands before the first.
            let result = result.rsplit(['{', '}']).next()?;
            let result = result.split_whitespace().collect::<Vec<_>>().join(" ");
            Some(Function {
                name: name.to_owned(),
                is_fallible: result == "pmq_status" && parameters.ends_with("pmq_error **error"),
                result,
                parameters: match parameters.trim() {
                    "void" => 0,
                    list => list.split(',').count(),
                },
            })
        })
        .collect()
}

#[test]
fn the_header_is_read_as_a_compiler_reads_it() {
    let functions = functions();
    let find = |name: &str| functions.iter().find(|function| function.name == name);
    let publish = find("pmq_client_publish").unwrap();
    assert_eq!(
        (publish.result.as_str(), publish.parameters),
        ("pmq_status", 4)
    );
    let version = find("pmq_version").unwrap();
    assert_eq!(
        (version.result.as_str(), version.parameters),
        ("const char *", 0)
    );
}

/// What a Rust library leaves in its table of symbols, beside its own functions, would clash with other libraries.
#[test]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    let output = Command::new("nm")
        .args(["--dynamic", "--defined-only", "--format=posix"])
        .arg(built().join("libpushmq.so"))
        .output()
        .unwrap();
    assert!(output.status.success(), "nm: {output:?}");
    let symbols = String::from_utf8(output.stdout).unwrap();
    let mut exported: Vec<_> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| !(cfg!(feature = "inject-panic") && name.starts_with("pmq_test_")))
        .collect();
    let functions = functions();
    let mut declared: Vec<_> = functions.iter().map(|function| &*function.name).collect();
    exported.sort_unstable();
    declared.sort_unstable();
    assert_eq!(exported, declared);
}

/// A thread that looks up a name may still run when a program closes a library that it loaded by itself.
#[test]
fn dlclose_leaves_the_code_that_threads_run() {
    let output = Command::new("readelf")
        .arg("--dynamic")
        .arg(built().join("libpushmq.so"))
        .output()
        .unwrap();
    assert!(output.status.success(), "readelf: {output:?}");
    let dynamic = String::from_utf8(output.stdout).unwrap();
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

/// Every function of the header with NULL and 0 for everything.
#[test]
fn null_everywhere_is_a_status() {
    let mut body = String::new();
    for function in functions() {
        let call = function.call();
        // It has nothing to refuse.
        let succeeds = ["pmq_shutdown", "pmq_set_log"].contains(&&*function.name);
        body.push_str(&match (function.is_fallible, succeeds) {
            (true, false) => format!("    CHECK({call} < 0);\n"),
            (true, true) => format!("    CHECK({call} == PMQ_STATUS_OK);\n"),
            (false, _) => format!("    (void){call};\n"),
        });
    }
    let text = format!(
        "#include \"check.h\"\n\nint main(void) {{\n{body}    return check_result();\n}}\n"
    );
    Program::text(&text).run(&[]);
}

/// A panic in any function comes back as a status or as the value for nothing, with its text where there is an error.
#[cfg(feature = "inject-panic")]
#[test]
fn a_panic_anywhere_comes_back() {
    let mut body = String::new();
    for function in functions() {
        body.push_str("    pmq_test_panic_next();\n");
        if function.is_fallible {
            // The last argument is where the error goes.
            let mut arguments = vec!["0"; function.parameters];
            *arguments.last_mut().unwrap() = "&error";
            body.push_str(&format!(
                "    CHECK({}({}) == PMQ_STATUS_PANIC);\n",
                function.name,
                arguments.join(", ")
            ));
            body.push_str(
                "    CHECK(pmq_error_status(error) == PMQ_STATUS_PANIC);\n    \
                 CHECK(strncmp(pmq_error_panic(error), \"injected (\", 10) == 0);\n    \
                 pmq_error_free(&error);\n",
            );
        } else {
            body.push_str(&format!("    (void){};\n", function.call()));
        }
        body.push_str("    CHECK(!pmq_test_panic_is_due());\n");
    }
    let text = format!(
        "#include \"check.h\"\n\nvoid pmq_test_panic_next(void);\nbool pmq_test_panic_is_due(void);\n\n\
         int main(void) {{\n    pmq_error *error = NULL;\n{body}    return check_result();\n}}\n"
    );
    Program::text(&text).run(&[]);
}
