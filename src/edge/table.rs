//! Who may be sent a request: pools, their replicas and shares, and open conversations.
//!
//! The one piece of memory that the proxy, the health checks and the supervisor share.
