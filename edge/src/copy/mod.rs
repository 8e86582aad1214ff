//! What an edge holds of a site: one release, loaded and checked.
