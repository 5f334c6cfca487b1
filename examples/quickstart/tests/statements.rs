//! A customer's statement, end to end.

use invoicing::billing::tax;

fn statement(amounts: &[u64]) -> String {
    let net: u64 = amounts.iter().sum();
    format!("net {net}, tax {}", tax(net, 20))
}

#[test]
fn a_statement_adds_up() {
    assert_eq!(statement(&[100, 200]), "net 300, tax 60");
}

#[test]
fn an_empty_statement_is_zero() {
    assert_eq!(statement(&[]), "net 0, tax 0");
}

#[test]
fn a_statement_of_one_invoice_is_the_invoice() {
    assert_eq!(statement(&[100]), "net 100, tax 20");
}

#[test]
fn order_does_not_matter() {
    assert_eq!(statement(&[1, 2, 3]), statement(&[3, 2, 1]));
}

#[test]
#[ignore = "needs the mail server"]
fn a_statement_is_mailed() {
    panic!("no mail server here");
}
