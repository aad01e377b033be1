"""robbench: how robust a defense against adversarial examples really is."""
