using System.Runtime.InteropServices;

namespace BulkImporter.Data;

/// <summary>
/// What a name leads to, all links followed. The framework does not tell a device or a FIFO from a file that holds bytes.
/// </summary>
/// <param name="IsRegular">It holds bytes that stay; a device, a FIFO or a socket hands them on.</param>
internal sealed record FileKind(bool IsRegular, uint Owner, uint Group)
{
    private const int CurrentFolder = -100;
    private const uint TypeAndOwner = 0x1 | 0x8 | 0x10;

    // struct statx, which is laid out alike on every architecture.
    private const int Size = 256;
    private const int OwnerAt = 20;
    private const int GroupAt = 24;
    private const int ModeAt = 28;

    private const int TypeMask = 0xF000;
    private const int Regular = 0x8000;

    /// <summary>
    /// Null when nothing is there, or a folder is. Where the system is not asked (not Linux) the devices are what lies below <c>/dev</c>.
    /// </summary>
    public static FileKind? Of(string path)
    {
        if (!File.Exists(path)) return null;
        if (!OperatingSystem.IsLinux()) return new(!path.StartsWith("/dev/", StringComparison.Ordinal), 0, 0);
        var status = new byte[Size];
        return Statx(CurrentFolder, path, 0, TypeAndOwner, status) != 0
            ? null
            : new((BitConverter.ToUInt16(status, ModeAt) & TypeMask) == Regular, BitConverter.ToUInt32(status, OwnerAt),
                BitConverter.ToUInt32(status, GroupAt));
    }

    /// <summary>
    /// Gives the file to this owner. Only root may give to others; for anybody else a file that he replaces becomes his, as with every
    /// program.
    /// </summary>
    public void Own(string path)
    {
        if (OperatingSystem.IsLinux() && Of(path) is { } now && (now.Owner, now.Group) != (Owner, Group))
            _ = ChangeOwner(path, Owner, Group);
    }

    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Statx(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, byte[] status);

    [DllImport("libc", EntryPoint = "chown")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ChangeOwner([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint owner, uint group);
}
