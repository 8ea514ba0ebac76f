#!/usr/bin/env bash
# An initramfs without its end is infra, whether the manifest knows or only the guest does.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 3s 'boot_deadline = "60s"'
cp -r "$images" "$work/image"
image_dir=$work/image
truncate -s -100000 "$image_dir/initramfs.cpio"
run
expect_code $? 3
expect_line '^infra case: truncated initramfs '
expect_verdict infra
size=$(stat -c %s "$image_dir/initramfs.cpio")
hash=$(sha256sum < "$image_dir/initramfs.cpio" | cut -d' ' -f1)
sed -i -e "s/\"initramfs_size\": *[0-9]*/\"initramfs_size\": $size/" -e "s/\"initramfs_sha256\": *\"[0-9a-f]*\"/\"initramfs_sha256\": \"$hash\"/" "$image_dir/manifest.json"
run
expect_code $? 3
expect_line '^infra case: the guest could not start (\(bad_initramfs\|no_root\|no_init\)): '
