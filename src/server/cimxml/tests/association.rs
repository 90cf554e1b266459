//! Operations along associations against the embedded repository.

use super::*;

fn object_name(class: &str, keys: &str) -> String {
    instance_name(class, keys).replace("InstanceName", "ObjectName")
}

/// The classes of the instances an answer holds or names at its top.
fn answered(root: &Element) -> Vec<String> {
    let paths = root.find("INSTANCEPATH").into_iter();
    paths.map(|path| path.children[1].attributes["CLASSNAME"].clone()).collect()
}

fn system_keys() -> String {
    let names = rustix::system::uname();
    let keys = [
        ("CSCreationClassName", "LC_ComputerSystem".to_owned()),
        ("CSName", names.nodename().to_string_lossy().into_owned()),
        ("CreationClassName", "LC_OperatingSystem".to_owned()),
        ("Name", names.sysname().to_string_lossy().into_owned()),
    ];
    let key = |(name, value)| format!("<KEYBINDING NAME=\"{name}\"><KEYVALUE>{value}</KEYVALUE></KEYBINDING>");
    keys.map(key).concat()
}

#[test]
fn associations_lead_from_one_end_to_the_other_and_back() {
    let own = std::process::id().to_string();
    let process = object_name("LC_Process", &keys_of(&own));
    let up = call("Associators", "root/cimv2", &process);
    assert_eq!(answered(&up), ["LC_OperatingSystem"]);
    let object = up.one("VALUE.OBJECTWITHPATH");
    assert_eq!(object.one("HOST").text, rustix::system::uname().nodename().to_string_lossy());
    assert_eq!(object.names("NAMESPACE"), ["root", "cimv2"]);
    assert!(object.one("INSTANCE").property("UpTime").value().ends_with(":000"));

    let system = object_name("lc_operatingsystem", &system_keys());
    let down = call("AssociatorNames", "root/cimv2", &system);
    let classes = answered(&down);
    assert!(classes.contains(&"LC_ComputerSystem".to_owned()) && classes.contains(&"LC_Process".to_owned()));
    assert!(down.find("KEYVALUE").iter().any(|key| key.text == own), "this process is one of them");
    assert!(down.find("VALUE.OBJECTWITHPATH").is_empty());
    let linked = call("References", "root/cimv2", &process);
    assert_eq!(answered(&linked)[0], "LC_OSProcess");
    let part = linked.one("INSTANCE").property("PartComponent");
    assert!(part.find("KEYVALUE").iter().any(|key| key.text == own));
    let names = call("ReferenceNames", "root/cimv2", &(process + &text("Role", "partcomponent")));
    assert_eq!((answered(&names), names.find("OBJECTPATH").len()), (vec!["LC_OSProcess".to_owned()], 1));
}

#[test]
fn every_filter_of_associations_leaves_out_what_it_should() {
    let system = object_name("LC_OperatingSystem", &system_keys());
    let class = |name: &str, class: &str| class_name(class).replace("ClassName", name);
    for (operation, filter, expected) in [
        ("AssociatorNames", class("AssocClass", "CIM_Dependency"), "LC_ComputerSystem"),
        ("AssociatorNames", class("ResultClass", "CIM_System"), "LC_ComputerSystem"),
        ("AssociatorNames", text("Role", "Antecedent"), "LC_ComputerSystem"),
        ("AssociatorNames", text("ResultRole", "Dependent"), "LC_ComputerSystem"),
        ("Associators", class("AssocClass", "LC_RunningOS") + &list(&["Name"]), "LC_ComputerSystem"),
        ("ReferenceNames", class("ResultClass", "CIM_RunningOS"), "LC_RunningOS"),
        ("References", text("Role", "ANTECEDENT"), "LC_RunningOS"),
    ] {
        assert_eq!(answered(&call(operation, "root/cimv2", &(system.clone() + &filter)))[0], expected, "{filter}");
        assert_eq!(call(operation, "root/cimv2", &(system.clone() + &filter)).find("INSTANCEPATH").len(), 1);
    }
    let few = class("AssocClass", "LC_RunningOS") + &list(&["Name"]);
    let few = call("Associators", "root/cimv2", &(system.clone() + &few));
    assert_eq!(few.one("INSTANCE").names("PROPERTY"), ["Name"]);
    for (operation, filter) in [
        ("AssociatorNames", text("Role", "Dependent")),
        ("AssociatorNames", text("ResultRole", "Antecedent")),
        ("AssociatorNames", class("AssocClass", "CIM_SystemComponent")),
        ("References", text("Role", "Dependent")),
    ] {
        let none = call(operation, "root/cimv2", &(system.clone() + &filter));
        assert!(none.one("IRETURNVALUE").children.is_empty(), "{operation} {filter}");
    }
    let gone = call("References", "root/cimv2", &object_name("LC_Process", &keys_of("0")));
    assert!(gone.one("IRETURNVALUE").children.is_empty(), "what is not there has no associations");
}

#[test]
fn mistakes_about_associations_have_their_status() {
    let system = object_name("LC_OperatingSystem", &system_keys());
    assert_eq!(status("Associators", "root/cimv2", ""), 4);
    assert_eq!(status("References", "root/cimv2", &object_name("No_Such", "")), 4);
    assert_eq!(status("References", "root/cimv2", &object_name("LC_Process", "")), 4);
    let unknown = class_name("No_Such").replace("ClassName", "ResultClass");
    assert_eq!(status("Associators", "root/cimv2", &(system.clone() + &unknown)), 4);
    for (operation, not_its_own) in [
        ("References", class_name("CIM_RunningOS").replace("ClassName", "AssocClass")),
        ("ReferenceNames", text("ResultRole", "x")),
        ("AssociatorNames", list(&["Name"])),
        ("ReferenceNames", flag("IncludeClassOrigin", true)),
    ] {
        assert_eq!(status(operation, "root/cimv2", &(system.clone() + &not_its_own)), 4, "{operation} {not_its_own}");
    }
    let class = class_name("LC_Process").replace("ClassName", "ObjectName");
    assert_eq!(status("AssociatorNames", "root/cimv2", &class), 7, "of instances only");
}
