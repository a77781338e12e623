using System.Globalization;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>Error numbers of Linux (the same on x86-64 and arm64) and what they say about a look.</summary>
internal static class Errno
{
    /// <summary>Not the kernel's: the file ended before the size it still claims to have.</summary>
    public const int ShortRead = 0;

    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int ENXIO = 6;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int ENODEV = 19;
    public const int ENOTDIR = 20;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ENOSPC = 28;
    public const int ENAMETOOLONG = 36;
    public const int ENOSYS = 38;
    public const int ELOOP = 40;
    public const int ENODATA = 61;
    public const int EBADMSG = 74;
    public const int EILSEQ = 84;
    public const int EOPNOTSUPP = 95;
    public const int ENOTCONN = 107;
    public const int ESHUTDOWN = 108;
    public const int ETIMEDOUT = 110;
    public const int ESTALE = 116;
    public const int EUCLEAN = 117;
    public const int EREMOTEIO = 121;
    public const int ENOKEY = 126;

    /// <summary>
    /// EBADMSG and EUCLEAN are what XFS and ext4 answer for a block whose checksum is wrong, ENODATA what block devices answer for an
    /// unreadable sector. ENOTCONN, ESHUTDOWN, ENODEV, ENXIO mean that the file system lost its server or its disk: that says nothing about one file.
    /// </summary>
    public static UnreadableCause CauseOf(int errno) => errno switch
    {
        EIO or EUCLEAN or ENODATA or EBADMSG or EREMOTEIO or EILSEQ => UnreadableCause.Medium,
        EACCES or EPERM or ENOKEY => UnreadableCause.Permission,
        ENOTCONN or ESHUTDOWN or ENODEV or ENXIO => UnreadableCause.RootUnavailable,
        ETIMEDOUT => UnreadableCause.TimedOut,
        _ => UnreadableCause.Transient,
    };

    public static string NameOf(int errno) => errno switch
    {
        ShortRead => "short read",
        EPERM => nameof(EPERM),
        ENOENT => nameof(ENOENT),
        EINTR => nameof(EINTR),
        EIO => nameof(EIO),
        ENXIO => nameof(ENXIO),
        EAGAIN => nameof(EAGAIN),
        ENOMEM => nameof(ENOMEM),
        EACCES => nameof(EACCES),
        ENODEV => nameof(ENODEV),
        ENOTDIR => nameof(ENOTDIR),
        EINVAL => nameof(EINVAL),
        ENFILE => nameof(ENFILE),
        EMFILE => nameof(EMFILE),
        ENOSPC => nameof(ENOSPC),
        ENAMETOOLONG => nameof(ENAMETOOLONG),
        ENOSYS => nameof(ENOSYS),
        ELOOP => nameof(ELOOP),
        ENODATA => nameof(ENODATA),
        EBADMSG => nameof(EBADMSG),
        EILSEQ => nameof(EILSEQ),
        EOPNOTSUPP => nameof(EOPNOTSUPP),
        ENOTCONN => nameof(ENOTCONN),
        ESHUTDOWN => nameof(ESHUTDOWN),
        ETIMEDOUT => nameof(ETIMEDOUT),
        ESTALE => nameof(ESTALE),
        EUCLEAN => nameof(EUCLEAN),
        EREMOTEIO => nameof(EREMOTEIO),
        ENOKEY => nameof(ENOKEY),
        _ => "errno " + errno.ToString(CultureInfo.InvariantCulture),
    };
}
