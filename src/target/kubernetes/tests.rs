//! On a real cluster, where there is one: its kubeconfig is named by `AGENTCTL_TEST_KUBECONFIG`, and
//! an image that holds a shell with `httpd`, by a name that its nodes can pull, by
//! `AGENTCTL_TEST_IMAGE`.
