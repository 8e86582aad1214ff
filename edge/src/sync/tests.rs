//! A folder mirror and a follower: what is offered, what is used, what is refused and why.
