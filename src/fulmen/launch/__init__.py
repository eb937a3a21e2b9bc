"""Work that goes on by itself: a job in its folder, the queue of them, and the process that runs one."""
