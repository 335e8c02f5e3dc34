"""What the tasks share: schedules, penalties, seeds."""
