"""SOQL and SOSL: text in, rows with a layout out."""
