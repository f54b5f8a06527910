// Stands in the bundle for parts of the Docker client that the lab never calls: SSH to a remote engine and BuildKit's sessions.
// They are three quarters of its code, and SSH's does not survive bundling.
export const Client = undefined;
