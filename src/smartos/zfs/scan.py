"""placeholder"""
class Scan:
    def __init__(self, spa): self.spa = spa
    def load(self): pass
