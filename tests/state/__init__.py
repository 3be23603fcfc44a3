"""Tests of what happened: fold, codec, stores."""
