    op.drop_table("login_attempts")
    op.drop_table("jobs")
    op.drop_table("refresh_tokens")
    op.drop_table("users")
