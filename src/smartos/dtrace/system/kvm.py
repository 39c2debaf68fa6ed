"""The probes of the real port of KVM: statically defined, so `sdt:kvm:FUNCTION:kvm-…`, as of its announcement.

Names and argument types are the book's data (:func:`smartos.post.sdt_probes`); the functions they stand in are read off
the port's source at the commit that the data name. One name in two functions is two probes.
"""

from functools import cache

_FUNCTIONS = {
    "kvm-guest-exit": "kvm_guest_exit", "kvm-guest-entry": "kvm_guest_enter", "kvm-bad-ioctl": "kvm_ioctl",
    "kvm-pio": "kvm_emulate_pio_string kvm_emulate_pio", "kvm-pic-set-irq": "kvm_pic_set_irq",
    "kvm-ioapic-set-irq": "kvm_ioapic_set_irq", "kvm-msi-set-irq": "kvm_set_msi", "kvm-ack-irq": "kvm_notify_acked_irq",
    "kvm-apic-ipi": "apic_send_ipi", "kvm-apic-read": "apic_reg_read", "kvm-apic-write": "apic_reg_write",
    "kvm-mmu-sync-page": "kvm_sync_page", "kvm-mmu-get-page": "kvm_mmu_get_page",
    "kvm-mmu-audit-post-pte": "kvm_mmu_pte_write", "kvm-vmx-invvpid": "__invvpid", "kvm-vmx-invept": "__invept",
    "kvm-vmx-vmclear": "vmcs_clear", "kvm-vmx-vmread": "vmcs_readl", "kvm-vmx-vmwrite": "__vmwrite",
    "kvm-vmx-vmptrld": "vmx_vcpu_load", "kvm-vmx-vmxon": "vmx_hardware_enable", "kvm-vmx-vmxoff": "cpu_vmxoff",
    "kvm-inj-virq": "vmx_inject_irq", "kvm-page-fault": "handle_exception handle_ept_violation", "kvm-cr": "handle_cr",
    "kvm-cr-write": "handle_cr", "kvm-cr-read": "handle_cr", "kvm-msr-read-ex": "handle_rdmsr",
    "kvm-msr-read": "handle_rdmsr", "kvm-msr-write-ex": "handle_wrmsr", "kvm-msr-write": "handle_wrmsr",
    "kvm-vexit": "vmx_handle_exit", "kvm-vrun": "vmx_vcpu_run", "kvm-vmx-vmresume": "vmx_vcpu_run",
    "kvm-vmx-vmlaunch": "vmx_vcpu_run", "kvm-mmio-read": "emulator_read_emulated",
    "kvm-mmio-read-unsatisfied": "emulator_read_emulated", "kvm-mmio-write": "emulator_write_emulated_onepage",
    "kvm-hv-hypercall": "kvm_hv_hypercall", "kvm-hypercall": "kvm_emulate_hypercall", "kvm-cpuid": "kvm_emulate_cpuid",
    "kvm-vm-entry": "vcpu_enter_guest", "kvm-vcpu-run": "__vcpu_run",
    "kvm-fpu": "kvm_load_guest_fpu kvm_put_guest_fpu",
}  # fmt: skip
_CPUID = ("uint32_t",) * 5


@cache
def _probes() -> dict[tuple[str, str, str, str], tuple[str, ...]]:
    from smartos.post import sdt_probes

    found: dict[tuple[str, str, str, str], tuple[str, ...]] = {}
    for row in sdt_probes():
        name = str(row["probe_name_as_seen_in_dtrace"])
        types = tuple(part for part in str(row["arg_types"]).split(";") if part)
        if name == "kvm-cpuid":  # the data's column holds the source text of expressions here; all five are 32 bits
            types = _CPUID
        functions = _FUNCTIONS.get(name, "").split()
        taken = sum(1 for key in found if key[3] == name)
        function = functions[min(taken, len(functions) - 1)] if functions else ""
        found.setdefault(("sdt", "kvm", function, name), types)
    return found


def probes() -> dict[tuple[str, str, str, str], tuple[str, ...]]:
    """The argument types of each probe by provider, module, function and name."""
    return _probes()
