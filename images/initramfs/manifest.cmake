# Writes IMAGES/manifest.json: by it the host finds the initramfs and knows that it is whole.
file(SIZE ${IMAGES}/initramfs.cpio size)
file(SHA256 ${IMAGES}/initramfs.cpio initramfs_sha256)
file(SHA256 ${IMAGES}/luf-guest guest_sha256)
file(WRITE ${IMAGES}/manifest.json "{
  \"initramfs\": \"initramfs.cpio\",
  \"initramfs_size\": ${size},
  \"initramfs_sha256\": \"${initramfs_sha256}\",
  \"guest_sha256\": \"${guest_sha256}\",
  \"parts\": \"parts.json\"
}
")
