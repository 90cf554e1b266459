//! Queries against the embedded repository.

use super::*;

const NS: &str = "root/cimv2";

fn wql(query: &str) -> String {
    text("QueryLanguage", "WQL") + &text("Query", query)
}

fn opened(query: &str) -> String {
    text("FilterQueryLanguage", "WQL") + &text("FilterQuery", query)
}

#[test]
fn a_query_answers_the_properties_and_instances_it_selects() {
    let own = std::process::id().to_string();
    let query = format!("select Name, Handle from CIM_Process where Handle = \"{own}\" and WorkingSetSize >= 1");
    let answer = call("ExecQuery", NS, &wql(&query));
    let found = answer.one("VALUE.OBJECTWITHPATH");
    assert_eq!(found.one("INSTANCE").attributes["CLASSNAME"], "LC_Process");
    assert_eq!(found.names("PROPERTY"), ["Name", "Handle"], "class order, nothing else");
    assert_eq!(found.one("INSTANCE").property("Handle").value(), own);
    let all = call("ExecQuery", NS, &wql("SELECT * FROM LC_OperatingSystem"));
    assert!(all.one("INSTANCE").names("PROPERTY").contains(&"UpTime"));
    let none = call("ExecQuery", NS, &wql("SELECT * FROM LC_Process WHERE Handle = 'x' OR Name IS NULL"));
    assert!(none.one("IRETURNVALUE").children.is_empty());
}

#[test]
fn the_result_of_a_query_is_pulled_with_its_class_if_asked_for() {
    let service = service();
    let params = opened("SELECT Handle FROM LC_Process") + &flag("ReturnQueryResultClass", true);
    let open = call_on(&service, "OpenQueryInstances", NS, &params);
    assert_eq!(open.one("CLASS").names("PROPERTY"), ["Handle"]);
    let outputs = open.names("PARAMVALUE");
    assert_eq!(outputs, ["EndOfSequence", "EnumerationContext", "QueryResultClass"]);
    let context = open.find("PARAMVALUE")[1].value().to_owned();
    let params = text("EnumerationContext", &context) + &text("MaxObjectCount", "100000");
    let page = call_on(&service, "PullInstances", NS, &params);
    let own = std::process::id().to_string();
    assert!(page.find("INSTANCE").iter().any(|one| one.property("Handle").value() == own));
    assert_eq!(page.find("PARAMVALUE")[0].value(), "TRUE");
    assert_eq!(*service.enumerations.count().borrow(), 0);
}

#[test]
fn each_mistake_in_a_query_has_its_status() {
    for (query, code) in [
        ("SELECT * FROM No_Such", 15),
        ("SELECT NoSuch FROM LC_Process", 15),
        ("SELECT * FROM LC_Process WHERE NoSuch = 1", 15),
        ("SELECT * FROM LC_Process WHERE Parameters = 'x'", 15),
        ("SELEKT *", 15),
        ("", 4),
    ] {
        assert_eq!(status("ExecQuery", NS, &wql(query)), code, "{query}");
        assert_eq!(status("OpenQueryInstances", NS, &opened(query)), code, "{query}");
    }
    let cql = text("QueryLanguage", "DMTF:CQL") + &text("Query", "SELECT * FROM LC_Process");
    assert_eq!(status("ExecQuery", NS, &cql), 14);
    assert_eq!(status("ExecQuery", NS, &text("Query", "SELECT * FROM LC_Process")), 4);
}
