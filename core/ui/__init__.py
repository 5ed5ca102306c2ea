"""What pages share: the only core code that knows Streamlit."""
