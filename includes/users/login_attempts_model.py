class LoginAttempts(Base):
    """How often a password was tried, for an account, an address or both, in the current window."""

    __tablename__ = "login_attempts"
    __table_args__ = (Index(None, "expires_at"),)

    # Of what is counted: who reads the table learns no addresses.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    attempts: Mapped[int]
    expires_at: Mapped[datetime]
