//! Inventories of Ansible and lists of MeshCommander.

use super::*;

const INI: &str = r#"
linux1 ansible_host=10.1.1.1
[windows]
web[01:03].example ansible_user='CORP\ann' role=web  # the farm
dc1 ansible_host=10.0.0.5 ansible_port=5985 ansible_password=Sw0rdf1sh-9c1
odd:15986 ansible_winrm_scheme=http ansible_winrm_message_encryption=always ansible_become_pass=Sw0rdf1sh-9c1
lost ansible_host="{{ where }}"
[windows:vars]
ansible_connection=winrm
ansible_winrm_transport=ntlm
ansible_winrm_server_cert_validation=ignore
ansible_user=from_windows
[prod:children]
windows
[prod:vars]
ansible_user=from_prod
ansible_winrm_path=/p
env=prod
"#;

const YAML: &str = "
all:
  vars:
    ansible_connection: ansible.builtin.psrp
  hosts:
    linux1: {ansible_connection: ssh}
  children:
    win:
      vars: &auth
        ansible_psrp_auth: basic
        ansible_user: bob
      hosts:
        h[a:c]: {ansible_password: !vault 'Sw0rdf1sh-9c1'}
        h9:
          <<: *auth
          ansible_psrp_protocol: http
          ansible_psrp_ca_cert: ca.pem
          ansible_winrm_operation_timeout_sec: 20
          ansible_list: [1]
          role: web
    empty:
";

#[test]
fn windows_hosts_of_an_ini_inventory_come_over() {
    insta::assert_snapshot!("ansible_ini", told(&read(INI)));
}

#[test]
fn windows_hosts_of_a_yaml_inventory_come_over() {
    insta::assert_snapshot!("ansible_yaml", told(&read(YAML)));
}

#[test]
fn variables_of_nearer_groups_win() {
    let nested = "[a:children]\nb\n[b:children]\na\n[b]\nh\n[all:vars]\nansible_connection=winrm\nansible_user=all\n";
    assert_eq!(read(nested).sessions[0].target.user.as_deref(), Some("all"));
    let nearer = format!("{nested}[b:vars]\nansible_user=\"b\"\n");
    assert_eq!(read(&nearer).sessions[0].target.user.as_deref(), Some("b"));
}

#[test]
fn ranges_are_written_out_as_ansible_does() {
    let hosts = |pattern: &str| {
        let text = format!("[all:vars]\nansible_connection=winrm\n[g]\n{pattern}\n");
        read(&text).sessions.into_iter().map(|found| found.name).collect::<Vec<_>>()
    };
    assert_eq!(hosts("n[08:10]"), ["n08", "n09", "n10"]);
    assert_eq!(hosts("n[8:10:2]x[a:b]"), ["n8xa", "n8xb", "n10xa", "n10xb"]);
    for pattern in ["n[1:999999999]", "n[1:100][1:100]", "n[1", "n[2:1]", "n[1:2:0]", "n[x:12]", "n[a:z][a:z][a:z]"] {
        let text = format!("[g]\nx\n{pattern}\n");
        let error = import(&text, Some(Format::Ansible), Path::new("")).unwrap_err();
        assert_eq!(error.place, Some((3, 1)), "{pattern}: {error:?}");
    }
}

#[test]
fn inventories_with_mistakes_name_the_line() {
    for (text, line) in [("[g]\nh 'x\n", 2), ("[g:vars]\nhello\n", 2), ("[g]\nh x\n", 2)] {
        let error = import(text, Some(Format::Ansible), Path::new("")).unwrap_err();
        assert_eq!(error.place, Some((line, 1)), "{text}: {error:?}");
    }
    for text in ["all:\n  hosts: 1\n", "all: 1\n", "all:\n  wrong:\n    a: b\n"] {
        assert!(import(text, Some(Format::Ansible), Path::new("")).is_err(), "{text}");
    }
}

#[test]
fn computers_of_meshcommander_come_over() {
    let json = format!(
        r#"{{"computers":[{{"name":"amt1","host":"10.0.0.9","user":"admin","pass":"{PASSWORD}","tls":1,"tags":"lab, floor 2",
        "tlscerthash":"abcd","foo":"{PASSWORD}","ver":"16.1","bar":{{"x":1}}}},{{"host":"amt2","tls":0}},{{"name":"lost"}},7]}}"#
    );
    let csv = format!("name,host,user,pass,tls,tags\namt1,10.0.0.9,admin,{PASSWORD},1,lab\n,amt2,,,0,\n");
    insta::assert_snapshot!("meshcommander", format!("{}--\n{}", told(&read(&json)), told(&read(&csv))));
    let magic = r#"{"magic":"3209ruwpcoinaT4r9w347t0e4ug","data":"..."}"#;
    let error = import(magic, None, Path::new("")).unwrap_err();
    assert!(error.cause.contains("encrypted") && error.hint.contains("without one"), "{error:?}");
    let error = import("{\"computers\": [{\"host\"}]}", None, Path::new("")).unwrap_err();
    assert!(error.place.is_some(), "{error:?}");
}
