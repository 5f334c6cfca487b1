//! Scripted inquiries.
