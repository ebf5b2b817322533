"""What-if questions: another configuration of grades and limits, or a multiple of the busiest hour."""
