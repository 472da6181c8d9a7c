"""What leaves the process about itself: log lines, traces, reports of errors."""
