"""The links that the post made, and where the same thing is known to have lived.

No stored copy of the post keeps an address (fact P5), so no target here is proof of what the post pointed at: each is
an address under which a seen source places the same item.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A link near line `line`; `target` is empty where no address of the item was seen."""

    line: int
    what: str
    target: str
    seen: str
    cite: str = ""


def links() -> list[Link]:
    """The links in the order of the lines."""
    docs = "named in the SmartOS documentation’s archive"
    return [
        Link(10, "Press release of 15 August 2011",
             "http://www.marketwire.com/press-release/joyent-announces-smartos-with-kvm-an-open-source-modern-operating-system-1549602.htm",
             docs + "; the body was not found", "joyent2011pr"),
        Link(26, "SmartOS: The Complete Modern Operating System (conceptual diagram)", "", "no address seen"),
        Link(36, "The page that says what SmartOS is comprised of", "", "no address seen"),
        Link(40, "Joyent SmartOS FAQ", "https://smartos.org/2011/08/15/smartos-faq/", "its beginning was seen", "smartosfaq2011"),
        Link(47, "Experiences porting KVM to SmartOS (slides)",
             "https://www.slideshare.net/bcantrill/experiences-porting-kvm-to-smartos",
             "the same deck lies in the SmartOS documentation’s archive and was read there; KVM Forum’s own copy was at linux-kvm.org/wiki/images/7/71/2011-forum-porting-to-smartos.pdf, which was not opened", "cantrill2011slides"),
        Link(75, "SmartOS Blog", "https://smartos.org/", "the blog’s posts of August 2011 lie under this address; the page is a guess", "bruning2011"),
        Link(77, "KVM on illumos", "https://bcantrill.dtrace.org/2011/08/15/kvm-on-illumos/",
             "the author’s own copy; the post names the company’s weblog", "cantrill2011blog"),
        Link(81, "Son of Solaris raids Linux for KVM hypervisor",
             "https://insidehpc.com/2011/08/son-of-solaris-raids-linux-for-kvm-hypervisor-runs-windows-better-than-windows/",
             "a mirror, seen in part; The Register’s own address was not seen", "metz2011"),
        Link(93, "Joyent Open Sources SmartOS for the Cloud",
             "http://www.datacenterknowledge.com/archives/2011/08/15/joyent-open-sources-smartos/",
             docs + "; the text was not seen", "dck2011"),
        Link(103, "Joyent launches a new OS for the cloud",
             "http://gigaom.com/cloud/joyent-launches-a-new-os-for-the-cloud/",
             docs + "; a teaser of the text was seen", "gigaom2011"),
        Link(106, "Resources, Joyent", "", "no address seen"),
        Link(108, "A Japanese site", "", "no address seen"),
        Link(111, "The Observation Deck, 9 September 2005", "https://bcantrill.dtrace.org/2005/09/09/tr35/",
             "the entry of that date is the one called TR35; its text was read, this address was not opened", "cantrill2005tr35"),
        Link(113, "KVM Forum 2011, schedule", "", "no address seen"),
        Link(115, "The list’s post of 23 August 2010", "", "no address seen"),
        Link(117, "The list’s post of 11 July 2010", "", "no address seen"),
        Link(121, "The list’s post 02026 of 24 January 2010", "", "no address seen"),
    ]  # fmt: skip
