/* The metrics there are. Their names are for ever: a dashboard somewhere has them. */
#include <stddef.h>
#include <stdio.h>

#include "metrics.h"

#define NOW(member)    offsetof(struct msg_sample, now.member)
#define SAMPLE(member) offsetof(struct msg_sample, member)
#define TAP(member)    offsetof(struct tap_reading, member)
#define FAMILY(member) offsetof(struct family_reading, member)
#define ROLE(member)   offsetof(struct role_state, member)
#define ONE(at)                  \
	NULL,                    \
	{                        \
		{                \
			NULL, at \
		}                \
	}
#define EACH(label, ...)    \
	label,              \
	{                   \
		__VA_ARGS__ \
	}
#define NOTHING ONE(0)

/* clang-format off */
const struct metric metrics_table[] = {
    {"vmm_build", "", OF_BUILD, INFO, 0, FORM_ONE, NOTHING,
     "The version of vmm."},

    {"vmm_vm", "", OF_VM, INFO, 0, FORM_ONE, NOTHING,
     "What a VM was built for, and the CPU that it runs on."},
    {"vmm_vm_start_time_seconds", "seconds", OF_VM, GAUGE, 0, FORM_TIME_US, ONE(SAMPLE(started_us)),
     "When the VM was started, since 1970."},
    {"vmm_vm_uptime_seconds", "seconds", OF_VM, GAUGE, 0, FORM_UPTIME, NOTHING,
     "How long the VM had run when it was looked at last."},
    {"vmm_vm_cpu_seconds", "seconds", OF_VM, COUNTER, READ_PROCESS, FORM_US,
     EACH("mode", {"user", NOW(user_us)}, {"system", NOW(system_us)}),
     "CPU time of the VM, its guest's and its monitor's."},
    {"vmm_vm_memory_limit_bytes", "bytes", OF_VM, GAUGE, 0, FORM_MB32, ONE(SAMPLE(memory_mb)),
     "Memory that the guest has."},
    {"vmm_vm_memory_resident_bytes", "bytes", OF_VM, GAUGE, READ_PROCESS, FORM_COUNT,
     ONE(NOW(resident)),
     "Memory of the VM's process that is in RAM now."},
    {"vmm_vm_memory_shared_bytes", "bytes", OF_VM, GAUGE, READ_PROCESS, FORM_COUNT,
     ONE(NOW(shared)),
     "What of the resident memory is not the VM's alone."},
    {"vmm_vm_memory_peak_bytes", "bytes", OF_VM, GAUGE, READ_PROCESS, FORM_COUNT, ONE(NOW(peak)),
     "The most that was resident so far."},
    {"vmm_vm_page_faults", "", OF_VM, COUNTER, READ_PROCESS, FORM_COUNT,
     EACH("kind", {"minor", NOW(minor_faults)}, {"major", NOW(major_faults)}),
     "Page faults of the VM's process; major ones waited for a disk."},
    {"vmm_vm_context_switches", "", OF_VM, COUNTER, READ_PROCESS, FORM_COUNT,
     EACH("kind", {"voluntary", NOW(voluntary_switches)},
		  {"involuntary", NOW(involuntary_switches)}),
     "How often the VM left its CPU, by itself or because others had their turn."},
    {"vmm_vm_block_read_bytes", "bytes", OF_VM, COUNTER, READ_BLOCK, FORM_COUNT,
     ONE(NOW(block_read)),
     "What the guest read from its volumes."},
    {"vmm_vm_block_written_bytes", "bytes", OF_VM, COUNTER, READ_BLOCK, FORM_COUNT,
     ONE(NOW(block_written)),
     "What the guest wrote to its volumes."},
    {"vmm_vm_network_received_bytes", "bytes", OF_TAP, COUNTER, READ_NETWORK, FORM_COUNT,
     ONE(TAP(received_bytes)),
     "What the guest received, in whole Ethernet frames."},
    {"vmm_vm_network_received_packets", "", OF_TAP, COUNTER, READ_NETWORK, FORM_COUNT,
     ONE(TAP(received_packets)),
     "Frames that the guest received."},
    {"vmm_vm_network_sent_bytes", "bytes", OF_TAP, COUNTER, READ_NETWORK, FORM_COUNT,
     ONE(TAP(sent_bytes)),
     "What the guest sent, in whole Ethernet frames, with those that were then dropped."},
    {"vmm_vm_network_sent_packets", "", OF_TAP, COUNTER, READ_NETWORK, FORM_COUNT,
     ONE(TAP(sent_packets)),
     "Frames that the guest sent, with those that were then dropped."},
    {"vmm_vm_network_dropped_packets", "", OF_TAP, COUNTER, READ_NETWORK, FORM_COUNT,
     ONE(TAP(dropped)),
     "Frames of the guest that its rules did not let pass."},
    {"vmm_vm_console_bytes", "bytes", OF_VM, COUNTER, READ_CONSOLE, FORM_COUNT,
     ONE(NOW(console_bytes)),
     "What the guest wrote to its console."},
    {"vmm_vm_console_lost_lines", "", OF_VM, COUNTER, READ_CONSOLE, FORM_COUNT,
     ONE(NOW(console_lost)),
     "Lines that somebody who followed the console was too slow for."},
    {"vmm_vm_kvm_exits", "", OF_VM, COUNTER, READ_KVM, FORM_COUNT, ONE(NOW(kvm_exits)),
     "How often the guest's CPU came back to its monitor."},

    {"vmm_start_time_seconds", "seconds", OF_FAMILY, GAUGE, 0, FORM_TIME_US,
     ONE(FAMILY(started_us)),
     "When vmmd was started, since 1970."},
    {"vmm_role_up", "", OF_ROLE, GAUGE, 0, FORM_NUMBER, ONE(ROLE(up)),
     "Whether a process of the family is in service."},
    {"vmm_role_restarts", "", OF_ROLE, COUNTER, 0, FORM_COUNT, ONE(ROLE(restarts)),
     "How often a process of the family was started again."},
    {"vmm_connections", "", OF_FAMILY, COUNTER, 0, FORM_COUNT, ONE(FAMILY(connections)),
     "Connections that were accepted."},
    {"vmm_handshakes", "", OF_FAMILY, COUNTER, 0, FORM_COUNT,
     EACH("result", {"accepted", FAMILY(logins)}, {"refused", FAMILY(refusals)},
		    {"lost", FAMILY(handshakes_lost)}),
     "What came of connections: a session, one without authority, nothing."},
    {"vmm_sessions", "", OF_FAMILY, GAUGE, 0, FORM_NUMBER, ONE(FAMILY(sessions)),
     "Sessions that are open."},
    {"vmm_certificate_expires_timestamp_seconds", "seconds", OF_FAMILY, GAUGE, 0, FORM_TIME,
     EACH("certificate", {"ca", FAMILY(ca_expires)}, {"server", FAMILY(server_expires)}),
     "When the certificate of the authority, or of the server, ends, since 1970."},
    {"vmm_vms", "", OF_FAMILY, GAUGE, 0, FORM_NUMBER, ONE(FAMILY(vms)),
     "VMs that there are now."},
    {"vmm_vm_starts", "", OF_FAMILY, COUNTER, 0, FORM_COUNT,
     EACH("result", {"started", FAMILY(vms_started)}, {"failed", FAMILY(vms_failed)}),
     "VMs that were started, and that were refused or did not come up."},
    {"vmm_memory_limit_bytes", "bytes", OF_FAMILY, GAUGE, 0, FORM_MB, ONE(FAMILY(memory_mb)),
     "Memory that there is for VMs."},
    {"vmm_memory_used_bytes", "bytes", OF_FAMILY, GAUGE, 0, FORM_MB, ONE(FAMILY(memory_used_mb)),
     "Memory that VMs have."},
    {"vmm_volumes_used_bytes", "bytes", OF_FAMILY, GAUGE, 0, FORM_MB, ONE(FAMILY(block_used_mb)),
     "Size of all volumes."},
    {"vmm_host_cpus", "", OF_FAMILY, GAUGE, NEEDS_HOST, FORM_NUMBER, ONE(FAMILY(host_cpus)),
     "CPUs of the host."},
    {"vmm_host_cpu_seconds", "seconds", OF_FAMILY, COUNTER, NEEDS_HOST, FORM_US,
     EACH("mode", {"user", FAMILY(host_user_us)}, {"system", FAMILY(host_system_us)},
		  {"idle", FAMILY(host_idle_us)}),
     "Time of all CPUs of the host together; a guest's counts as the user's."},
    {"vmm_host_memory_bytes", "bytes", OF_FAMILY, GAUGE, NEEDS_HOST, FORM_COUNT,
     ONE(FAMILY(host_memory)),
     "Memory of the host."},
    {"vmm_host_memory_available_bytes", "bytes", OF_FAMILY, GAUGE, NEEDS_HOST, FORM_COUNT,
     ONE(FAMILY(host_available)),
     "Memory of the host that could be had now."},
};
/* clang-format on */

const char *metric_type(const struct metric *metric)
{
	static const char *const types[] = {
	    [COUNTER] = "counter", [GAUGE] = "gauge", [INFO] = "info"};

	return types[metric->type];
}

const char *metric_suffix(const struct metric *metric)
{
	static const char *const suffixes[] = {
	    [COUNTER] = "_total", [GAUGE] = "", [INFO] = "_info"};

	return suffixes[metric->type];
}

void metric_labels(const struct metric *metric, char *out, size_t size)
{
	static const char *const common[] = {[OF_BUILD] = "version",
					     [OF_VM] = "vm label",
					     [OF_TAP] = "vm label tap device bridge",
					     [OF_FAMILY] = "",
					     [OF_ROLE] = "role"};
	bool more = metric->label || (metric->type == INFO && metric->of == OF_VM);

	snprintf(out, size, "%s%s%s", common[metric->of], more && *common[metric->of] ? " " : "",
		 metric->label ? metric->label
		 : more	       ? "target cpuid"
			       : "");
}
