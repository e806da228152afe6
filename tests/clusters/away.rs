//! Rollouts that a pod in the cluster walks.

use super::{Clustered, QUICK, TWO};
use crate::support::{CANARY, eventually};

impl Clustered {
    /// Deployed, with the account that a pod walks rollouts by.
    #[track_caller]
    fn walks(test: &str, more: &str) -> Option<Self> {
        let it = Self::deployed(test, more)?;
        let role = it.run(&["render", "rbac"]).ends(0).stdout;
        it.place.write("rbac.yaml", role);
        let file = it.place.path("rbac.yaml").display().to_string();
        it.namespace.kubectl(&["apply", "-f", &file]).unwrap();
        Some(it)
    }
}

#[test]
fn is_followed_to_its_end() {
    let Some(agent) = Clustered::walks("followed", "") else {
        return;
    };
    agent.spec(&format!("{TWO}{QUICK}"));
    agent
        .run(&["deploy", "--in-cluster"])
        .ends(0)
        .says("job/bot-walks-2")
        .says("traffic   r2 50 %, r1 50 %")
        .says("r2 is live");
    agent.whole("r2", 1);
    agent
        .run(&["deploy", "--in-cluster"])
        .ends(0)
        .says("nothing changed");
    agent.spec("run.env.NEVER_READY = \"1\"\nhealth.startup.within = \"5s\"\n");
    let undone = agent.run(&["deploy", "--in-cluster"]).ends(1);
    let undone = undone.says("rolled back to r2");
    assert!(!undone.stderr.contains("/state/"), "{}", undone.stderr);
    agent.whole("r2", 1);
    agent.run(&["destroy", "--yes"]).ends(0);
    let jobs = agent.namespace.get(&["jobs"]);
    assert_eq!(jobs["items"].as_array().unwrap().len(), 0, "{jobs}");
}

#[test]
fn goes_on_without_who_began_it() {
    let Some(agent) = Clustered::walks("left", "") else {
        return;
    };
    agent.spec(&format!("{TWO}{QUICK}"));
    let deploy = agent.start(&["deploy", "--in-cluster"]);
    deploy.until("r2        1 replica started");
    deploy.kill();
    agent.whole_in_time("r2");
    // A person's word reaches the pod.
    agent.spec(&format!("run.env.ANSWER = \"three\"\n{CANARY}"));
    let deploy = agent.start(&["deploy", "--in-cluster"]);
    deploy.until("holding at 50 %");
    agent.run(&["abort"]).ends(0).says("rolled back to r2");
    deploy.wait().ends(1).says("rolled back to r2");
    agent.whole("r2", 1);
}

#[test]
fn a_pod_that_is_lost_is_followed_by_another() {
    let Some(agent) = Clustered::walks("lost", "") else {
        return;
    };
    let slow = "rollout.strategy = \"blue-green\"\nrollout.bake = \"5s\"\n";
    agent.spec(&format!("{TWO}{slow}"));
    let deploy = agent.start(&["deploy", "--in-cluster"]);
    deploy.until("holding at 100 %");
    let gone = [
        "delete",
        "pod",
        "-l",
        "job-name=bot-walks-2",
        "--wait=false",
    ];
    agent.namespace.kubectl(&gone).unwrap();
    deploy.wait().ends(0).says("r2 is live");
    agent.whole("r2", 1);
}

#[test]
fn what_a_pod_cannot_do_is_refused_before_anything_changes() {
    let Some(agent) = Clustered::deployed("unable", "") else {
        return;
    };
    agent.spec(TWO);
    agent
        .run(&["deploy", "--in-cluster"])
        .ends(2)
        .says("caused by: there is no ServiceAccount bot-deployer in unable-")
        .says("hint: agentctl render rbac -e prod | kubectl apply -f -");
    agent.spec(&format!(
        "{TWO}gate = [{{ name = \"own\", source = {{ command = [\"true\"] }} }}]\n"
    ));
    agent
        .run(&["deploy", "--in-cluster"])
        .ends(2)
        .says("error: a pod cannot judge the gate own");
    agent.whole("r1", 1);
}

impl Clustered {
    /// Somebody else walks there.
    #[track_caller]
    fn whole_in_time(&self, release: &str) {
        eventually("the rollout is over", || {
            let status = self.status();
            status["rollout"].is_null() && status["releases"][0]["release"] == release
        });
        self.whole(release, 1);
    }
}
