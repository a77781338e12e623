using System.Globalization;

namespace Ome.Shared.Domain.Verification;

/// <summary>A model whose files are known to be damaged on this node.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Device">st_dev its files were on when they were last proven; null when that is not known.</param>
/// <param name="IsUnreadable">The medium itself returned errors, twice.</param>
public readonly record struct DamagedModel(string Model, ulong? Device, bool IsUnreadable);

/// <summary>
/// What the damage on a node says of its disks. One damaged model may have been touched by anybody; errors of the medium, or several models on one device,
/// are the disk's doing until somebody shows otherwise.
/// </summary>
/// <param name="IsDegraded">Status of the Node's condition.</param>
/// <param name="Reason">CamelCase.</param>
/// <param name="Message">Which models and which device; the same damage gives the same text.</param>
public sealed record StorageHealth(bool IsDegraded, string Reason, string Message)
{
    private const int SeveralModels = 2;
    private const int MostNames = 3;

    /// <summary>No damage is known that speaks against a disk.</summary>
    public static StorageHealth Good { get; } = new(false, "NoDamageKnown", "no read errors, and no device holds several damaged models");

    /// <summary>Judges all damage there is.</summary>
    public static StorageHealth Of(IEnumerable<DamagedModel> damaged)
    {
        var all = damaged.OrderBy(model => model.Model, StringComparer.Ordinal).ToList();
        var unreadable = all.Where(model => model.IsUnreadable).Select(model => model.Model).ToList();
        if (unreadable.Count > 0) return new StorageHealth(true, "ReadErrors", $"the disk returns errors for files of {Names(unreadable)}");
        var worst = all.Where(model => model.Device is not null).GroupBy(model => model.Device!.Value)
            .Where(device => device.Count() >= SeveralModels).OrderByDescending(device => device.Count()).ThenBy(device => device.Key).FirstOrDefault();
        return worst is null
            ? Good
            : new StorageHealth(true, "SeveralModelsDamaged", $"{worst.Count()} models on device {Number(worst.Key)} are damaged: {Names([.. worst.Select(model => model.Model)])}");
    }

    private static string Names(List<string> models) =>
        string.Join(", ", models.Take(MostNames)) + (models.Count > MostNames ? string.Create(CultureInfo.InvariantCulture, $" and {models.Count - MostNames} more") : "");

    /// <summary>As <c>lsblk</c> shows it: major and minor number.</summary>
    private static string Number(ulong device) => string.Create(
        CultureInfo.InvariantCulture, $"{((device >> 8) & 0xfff) | ((device >> 32) & 0xfffff000)}:{(device & 0xff) | ((device >> 12) & 0xffffff00)}");
}
