// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The Pi's firmware starts from the other boot partition once, if this flag is set before a restart (Raspberry Pi,
 * "config.txt", tryboot). Raspberry Pi's own kernels set it when a restart has the argument "0 tryboot"; Debian's
 * do not know it, and give programs no way to the firmware's mailbox. So:
 *
 *   echo 1 >/sys/module/watchlink_tryboot/parameters/flag
 *
 * It fails where the firmware refuses, or does not keep it. The firmware itself clears the flag at the next start.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <soc/bcm2835/raspberrypi-firmware.h>

/* Of the firmware's property interface, which Linux's header does not list. */
#define GET_REBOOT_FLAGS 0x00030064
#define SET_REBOOT_FLAGS 0x00038064
#define TRYBOOT 0x1

static int ask(u32 tag, u32 *flags)
{
	struct device_node *node;
	struct rpi_firmware *firmware;
	int failed;

	node = of_find_compatible_node(NULL, NULL, "raspberrypi,bcm2835-firmware");
	if (!node)
		return -ENODEV;
	firmware = rpi_firmware_get(node);
	of_node_put(node);
	if (!firmware)
		return -ENODEV;
	failed = rpi_firmware_property(firmware, tag, flags, sizeof(*flags));
	rpi_firmware_put(firmware);
	return failed;
}

static int flag_set(const char *value, const struct kernel_param *unused)
{
	u32 flags;
	bool is_wanted;
	int failed = kstrtobool(value, &is_wanted);

	if (failed)
		return failed;
	flags = is_wanted ? TRYBOOT : 0;
	failed = ask(SET_REBOOT_FLAGS, &flags);
	if (failed)
		return failed;
	/* One that does not know the flag may say nothing of it. */
	flags = 0;
	failed = ask(GET_REBOOT_FLAGS, &flags);
	if (failed)
		return failed;
	return !!(flags & TRYBOOT) == is_wanted ? 0 : -EOPNOTSUPP;
}

static int flag_get(char *text, const struct kernel_param *unused)
{
	u32 flags = 0;
	int failed = ask(GET_REBOOT_FLAGS, &flags);

	return failed ? failed : sysfs_emit(text, "%d\n", !!(flags & TRYBOOT));
}

static const struct kernel_param_ops flag_ops = {
	.set = flag_set,
	.get = flag_get,
};

module_param_cb(flag, &flag_ops, NULL, 0600);
MODULE_PARM_DESC(flag, "1 = the next restart tries the other boot partition");
MODULE_DESCRIPTION("Asks a Raspberry Pi's firmware to try the other boot partition once");
MODULE_LICENSE("GPL");
