"""What a week must fulfil to be published, for analysts: the rules (`gate_rules.csv`) and the suite made from them."""
