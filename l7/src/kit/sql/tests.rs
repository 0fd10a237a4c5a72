//! Tests of masking and summaries.

use proptest::prelude::*;

use super::{Dialect, Statement};
use fact::{Attributes, Value};

const DIALECTS: [Dialect; 5] = [
    Dialect::MYSQL,
    Dialect::MYSQL.escaping(false),
    Dialect::POSTGRESQL,
    Dialect::POSTGRESQL.escaping(true),
    Dialect::CQL,
];

fn attribute(statement: &str, dialect: Dialect, literals: bool, key: &str) -> String {
    let mut read = Statement::default();
    read.read(statement.as_bytes(), dialect, literals);
    let mut into = Attributes::default();
    read.push_attributes(&mut into);
    match into.get(key) {
        Some(Value::Text(text)) => text.to_owned(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn mysql(statement: &str) -> String {
    attribute(statement, Dialect::MYSQL, false, "db.query.text")
}

fn postgresql(statement: &str) -> String {
    attribute(statement, Dialect::POSTGRESQL, false, "db.query.text")
}

fn cql(statement: &str) -> String {
    attribute(statement, Dialect::CQL, false, "db.query.text")
}

#[test]
fn literals_of_mysql_are_masked() {
    assert_eq!(
        mysql("SELECT * FROM t WHERE a='x' AND b = 12"),
        "SELECT * FROM t WHERE a=? AND b = ?"
    );
    assert_eq!(
        mysql(r#"INSERT INTO t VALUES ("a\"b", 'it''s \' x', -1.5e-3)"#),
        "INSERT INTO t VALUES (?, ?, -?)"
    );
    assert_eq!(
        mysql("SELECT 0xFF, x'4D', b'01', N'x', _utf8'x', 1e5, .5"),
        "SELECT ?, ?, ?, ?, _utf8?, ?, ?"
    );
    assert_eq!(
        mysql("SELECT `a'b`, t1.col2, `x``1` FROM db.2020_log"),
        "SELECT `a'b`, t1.col2, `x``1` FROM db.2020_log"
    );
    assert_eq!(
        mysql("SELECT 1 -- no\n, 2 # no\n, 3 /* no 'x */ , 4--1"),
        "SELECT ? , ? , ? , ?--?"
    );
    assert_eq!(mysql("/*!50000 SELECT 'x' */ 5"), "/*!50000 SELECT ? */ ?");
    assert_eq!(mysql("SELECT 'cut off in the mid"), "SELECT ?");
    assert_eq!(mysql("SELECT \"cut off"), "SELECT ?");
    assert_eq!(mysql("SELECT * FROM t /* cut"), "SELECT * FROM t");
    assert_eq!(mysql("SELECT ? , @a, @@b"), "SELECT ? , @a, @@b");
    assert_eq!(mysql("SELECT `cut ' off"), "SELECT ?");
    assert_eq!(mysql("SELECT 'a' 'b'\n\t'c'"), "SELECT ? ? ?");
    let plain = Dialect::MYSQL.escaping(false);
    assert_eq!(attribute(r"SELECT 'a\', b", plain, false, "db.query.text"), "SELECT ?, b");
}

#[test]
fn literals_of_postgresql_are_masked() {
    assert_eq!(postgresql("SELECT 'C:\\', \"Col\"'x' FROM t"), "SELECT ?, \"Col\"? FROM t");
    assert_eq!(
        postgresql(r"SELECT E'it\'s', e'\\', U&'\0061', B'1', X'1F'"),
        "SELECT ?, ?, ?, ?, ?"
    );
    assert_eq!(postgresql("SELECT $$a'b$$, $x$ $$ ' $x$, $1, a$b$c"), "SELECT ?, ?, $1, a$b$c");
    assert_eq!(postgresql("SELECT 1 /* a /* b */ 'c' */, 2 -- x\n+ 3"), "SELECT ? , ? + ?");
    assert_eq!(postgresql("SELECT E'a'\n  'b\\'c' , d"), "SELECT ? , d");
    assert_eq!(
        postgresql("SELECT 'a'::text, 1_000, 0x1F, 1.5e+10, 1..5"),
        "SELECT ?::text, ?, ?, ?, ?..?"
    );
    assert_eq!(postgresql("SELECT $q$ cut off"), "SELECT ?");
    assert_eq!(
        postgresql("SELECT U&\"d\\0061t\" , \"t\"\".\"\"2\""),
        "SELECT U&\"d\\0061t\" , \"t\"\".\"\"2\""
    );
    let old = Dialect::POSTGRESQL.escaping(true);
    assert_eq!(attribute(r"SELECT 'a\'b', c", old, false, "db.query.text"), "SELECT ?, c");
}

#[test]
fn literals_of_cql_are_masked() {
    assert_eq!(
        cql(
            "SELECT * FROM ks.t WHERE id = 550e8400-e29b-41d4-a716-446655440000 AND b=0xCAFE // x\n AND d=1h30m"
        ),
        "SELECT * FROM ks.t WHERE id = ? AND b=? AND d=?"
    );
    assert_eq!(
        cql("UPDATE t SET m = {'a': 1}, p = P1DT2H, s = $$x'y$$ WHERE \"K\" = 'it''s'"),
        "UPDATE t SET m = {?: ?}, p = ?, s = ? WHERE \"K\" = ?"
    );
}

#[test]
fn lists_behind_in_show_one_value() {
    assert_eq!(
        mysql("SELECT a FROM t WHERE b IN (1, -2, 'x') AND c in(3)"),
        "SELECT a FROM t WHERE b IN (?) AND c in(?)"
    );
    assert_eq!(postgresql("SELECT a WHERE b NOT IN ($1,$2 , $3)"), "SELECT a WHERE b NOT IN ($1)");
    assert_eq!(mysql("SELECT a WHERE b IN (1, f(2), 3)"), "SELECT a WHERE b IN (?, f(?), ?)");
    assert_eq!(
        mysql("SELECT a WHERE b IN (SELECT c FROM d)"),
        "SELECT a WHERE b IN (SELECT c FROM d)"
    );
    let many = format!("SELECT a FROM t WHERE b IN ({}) ORDER BY a", vec!["12345"; 300].join(", "));
    assert_eq!(mysql(&many), "SELECT a FROM t WHERE b IN (?) ORDER BY a");
}

#[test]
fn what_a_statement_is_about() {
    let all = [
        ("select * from `Songs` where a=1", "SELECT", "Songs", "SELECT Songs"),
        ("INSERT INTO db.orders (a) VALUES (1)", "INSERT", "db.orders", "INSERT db.orders"),
        ("INSERT INTO a SELECT b FROM c", "INSERT", "", "INSERT a SELECT c"),
        ("UPDATE t SET a=1", "UPDATE", "t", "UPDATE t"),
        ("DELETE FROM t", "DELETE", "t", "DELETE t"),
        ("SELECT a FROM t1 JOIN t2 ON x", "SELECT", "", "SELECT t1 t2"),
        ("SELECT a FROM t1, t2", "SELECT", "", "SELECT t1 t2"),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "SELECT", "x", "SELECT SELECT x"),
        ("CREATE TABLE IF NOT EXISTS foo (id int)", "CREATE", "foo", "CREATE TABLE foo"),
        ("DROP TABLE foo", "DROP", "foo", "DROP TABLE foo"),
        ("TRUNCATE TABLE foo", "TRUNCATE", "foo", "TRUNCATE foo"),
        ("COPY t (a, b) FROM STDIN", "COPY", "t", "COPY t"),
        ("BEGIN", "BEGIN", "", "BEGIN"),
        ("SET NAMES 'x'", "SET", "", "SET"),
        ("(SELECT 1)", "SELECT", "", "SELECT"),
        ("SELECT * FROM (SELECT a FROM b) c", "SELECT", "b", "SELECT SELECT b"),
    ];
    for (statement, operation, collection, summary) in all {
        let told = |key| attribute(statement, Dialect::MYSQL, false, key);
        assert_eq!(told("db.operation.name"), operation, "{statement}");
        assert_eq!(told("db.collection.name"), collection, "{statement}");
        assert_eq!(told("db.query.summary"), summary, "{statement}");
        assert_eq!(told("db.operation.batch.size"), "");
    }
    let batch = |key| {
        attribute("INSERT INTO a VALUES (1); SELECT b FROM c;", Dialect::POSTGRESQL, false, key)
    };
    assert_eq!(batch("db.operation.batch.size"), "Int(2)");
    assert_eq!(
        (batch("db.operation.name"), batch("db.query.summary")),
        ("INSERT".into(), "INSERT a SELECT c".into())
    );
}

#[test]
fn passwords_are_masked_also_where_values_are_kept() {
    let kept = |statement| attribute(statement, Dialect::MYSQL, true, "db.query.text");
    assert_eq!(kept("SELECT a  FROM t WHERE b = 'x'"), "SELECT a  FROM t WHERE b = 'x'");
    for secret in [
        "CREATE USER 'bob'@'%' IDENTIFIED BY 'hunter2'",
        "alter user bob identified with mysql_native_password by 'hunter2'",
        "SET PASSWORD = 'hunter2'",
        "SET PASSWORD FOR bob = PASSWORD('hunter2')",
        "ALTER ROLE bob PASSWORD 'hunter2'",
        "CREATE SUBSCRIPTION s CONNECTION 'host=x password=hunter2'",
        "SELECT * FROM users WHERE Passwd = 'hunter2'",
        "SELECT AES_ENCRYPT(a, 'hunter2')",
        "CREATE USER bob PASSWORD 'hunter2",
    ] {
        for dialect in DIALECTS {
            let text = attribute(secret, dialect, true, "db.query.text");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
    assert_eq!(
        kept("CREATE USER 'bob'@'%' IDENTIFIED BY 'hunter2'"),
        "CREATE USER ?@? IDENTIFIED BY ?"
    );
}

#[test]
fn texts_are_bounded() {
    let long = format!("SELECT {} FROM t", "col, ".repeat(5000));
    for literals in [false, true] {
        assert!(attribute(&long, Dialect::MYSQL, literals, "db.query.text").len() <= 1024);
    }
    let wide = format!("SELECT '{}', `{}`", "é".repeat(3000), "é".repeat(90));
    assert!(attribute(&wide, Dialect::MYSQL, true, "db.query.text").len() <= 1024);
    let mut read = Statement::default();
    read.read(&[0xff; 5000], Dialect::MYSQL, true);
    read.read(&[0xff; 5000], Dialect::MYSQL, false);
    assert!(read.bytes() < 8192);
}

/// Pieces of statements. Values consist of `z` and `7`, which nothing else has.
fn pieces(dialect: Dialect) -> Vec<&'static str> {
    let mut all = vec![
        "SELECT", "a", "b.c", "t1", "IN (", ")", ",", "=", "+ ", ";", " ", "\n", "'zz'", "'z''z'",
        "77", "7.7e-7", "-7", "(", "'7", "/* z7 */", "-- z\n",
    ];
    all.extend_from_slice(if dialect == Dialect::MYSQL {
        &[
            "`q'x`", "\"z'z\"", r"'z\'z'", r#""z\\""#, "0x77", "x'77'", "#z7\n", "/*! ", "*/",
            "N'z'", "_utf8'z'",
        ]
    } else if dialect == Dialect::POSTGRESQL {
        &[
            "\"q'x\"",
            r"E'z\'z'",
            "$$z'z$$",
            "$q$z$$7$q$",
            "U&'z'",
            "$1",
            "::text",
            "/* /* z */ 7 */",
            "B'7'",
        ]
    } else if dialect == Dialect::CQL {
        &["\"q'x\"", "$$z'z$$", "77777777-7777-7777-7777-777777777777", "7h7m", "// z7\n", "0x77"]
    } else {
        &[]
    });
    all
}

fn statement(picks: &[prop::sample::Index], dialect: Dialect) -> String {
    let all = pieces(dialect);
    picks.iter().map(|pick| all[pick.index(all.len())]).collect::<Vec<_>>().join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_literal_survives(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        cut in any::<prop::sample::Index>()
    ) {
        for dialect in [Dialect::MYSQL, Dialect::POSTGRESQL, Dialect::CQL] {
            let mut whole = statement(&picks, dialect);
            // An unfinished string of the generator swallows what follows; the one after it is then
            // read inside out.
            if let Some(at) = whole.find("'7 ") {
                whole.truncate(at + 2);
            }
            for text in [whole.as_str(), &whole[..cut.index(whole.len() + 1)]] {
                let masked = attribute(text, dialect, false, "db.query.text");
                prop_assert!(!masked.contains(['z', '7']), "{text:?} became {masked:?}");
                for key in ["db.query.summary", "db.collection.name", "db.operation.name"] {
                    let told = attribute(text, dialect, false, key);
                    prop_assert!(!told.contains(['z', '7']), "{text:?}: {told:?}");
                }
            }
        }
    }

    #[test]
    fn masking_twice_is_masking_once(
        text in "([a-eEnNxXuUP]|[$'\"`?.&#*!/\\\\-]|[ \n(),;]|[0-9]|IN ?\\(|--|/\\*|é){0,40}"
    ) {
        for dialect in DIALECTS {
            let once = attribute(&text, dialect, false, "db.query.text");
            prop_assert_eq!(&attribute(&once, dialect, false, "db.query.text"), &once, "{:?} {:?}", text, dialect);
        }
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for dialect in DIALECTS {
            for literals in [false, true] {
                let mut read = Statement::default();
                read.read(&bytes, dialect, literals);
            }
        }
    }
}
