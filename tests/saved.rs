//! A plan in a file: walked as it was shown, or refused.

use crate::support::{CANARY, Place};

const TWO: &str = "run.env.ANSWER = \"two\"\n";

fn saved(more: &str) -> Place {
    let place = Place::deployed("run.replicas = 2\n");
    place.spec(more);
    place.run(&["plan", "--save", "plan.json"]).ends(0);
    place
}

#[track_caller]
fn refused(place: &Place, args: &[&str], cause: &str) {
    let args = [&["deploy", "--plan", "plan.json"], args].concat();
    place.run(&args).exactly(
        2,
        "",
        &format!(
            "\
error: the plan was made for another world than there is now
  caused by: {cause}
hint: look at it anew: agentctl plan --save FILE
"
        ),
    );
}

#[test]
fn is_walked_as_it_was_shown() {
    let place = saved(TWO);
    place
        .run(&["deploy", "--plan", "plan.json"])
        .ends(0)
        .says("r2 is live");
    assert_eq!(place.ask("reply"), "two");
    refused(&place, &[], "rollout 2 was walked since");
}

#[test]
fn nothing_to_do_is_a_plan_too() {
    let place = saved("run.replicas = 2\n");
    place
        .run(&["deploy", "--plan", "plan.json"])
        .ends(0)
        .says("nothing changed");
}

#[test]
fn what_moved_is_said() {
    let place = saved("run.replicas = 2\n");
    place.spec(TWO);
    let changed = "agent.toml, or what it names, has changed since";
    refused(&place, &[], changed);
    place.spec(&format!("run.replicas = 2\n{TWO}"));
    place.run(&["plan", "--save", "plan.json"]).ends(0);
    place.spec(&format!("run.replicas = 2\n{TWO}{CANARY}"));
    refused(&place, &[], "how it is rolled out has changed since");
    assert_eq!(place.outcomes().len(), 1, "nothing was begun");
}

#[test]
fn what_is_no_plan() {
    let place = Place::new("");
    place
        .run(&["deploy", "--plan", "none.json"])
        .ends(2)
        .says("error: could not read the plan in none.json")
        .says("hint: save one: agentctl plan --save none.json");
    place.run(&["plan", "--save", "plan.json"]).ends(0);
    let newer = place.read("plan.json").replace("\"v\": 1", "\"v\": 2");
    place.write("plan.json", newer);
    place
        .run(&["deploy", "--plan", "plan.json"])
        .ends(2)
        .says("error: plan.json is a plan of format 2, and this agentctl reads 1");
    place
        .run(&["plan", "--save", "no/folder/plan.json"])
        .ends(2)
        .says("error: could not write the plan to no/folder/plan.json");
}

/// A plan that is kept among the agent's files is none of them.
#[test]
fn lies_beside_what_is_deployed() {
    let files = "run.files = [\"agent.py\", \"app\"]\n";
    let place = Place::new(files);
    place.write("app/text", "one");
    place.run(&["deploy"]).ends(0);
    place.write("app/text", "two");
    place.run(&["plan", "--save", "app/plan.json"]).ends(0);
    place
        .run(&["deploy", "--plan", "app/plan.json"])
        .ends(0)
        .says("r2 is live");
}
