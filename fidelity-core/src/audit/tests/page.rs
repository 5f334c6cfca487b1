//! How the page of an audit is laid out.

use super::*;

#[test]
fn a_value_that_is_cut_ends_as_on_other_pages() {
    let zones = ["America/St_Johns", "Pacific/Apia"];
    let values = zones.map(|zone| KnobValue::Text(zone.to_owned())).to_vec();
    let mut all = gathered(Vec::new());
    all.profiles[Arm::Target.index()].knobs =
        [(KnobId::from("tz"), KnobSetting::OneOf(values))].into();
    let page = render(&weigh(&all), &Style::default());
    assert!(page.contains("one of America/St... "), "{page}");
    assert!(!page.contains('…'), "{page}");
}
