using Ome.Agent.Staging;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Models;

/// <summary>Removal of a model's directory: behind the one path guard, renamed aside at once, deleted after (contract 4.13).</summary>
public sealed class ArtifactRemoval(StagingLayout layout, StagingDisk disk) : IArtifactRemoval
{
    public Task RemoveAsync(ModelRecord record, ModelSpec? spec, IReadOnlyList<ModelKey> others, CancellationToken cancellationToken)
    {
        var keeps = spec?.KeepsFiles == true || others.Count > 0 || !StorageUri.TryParse(record.StorageUri, out var uri, out _) || uri is StorageUri.Local || !uri.HasFilesOnNode;
        return keeps ? Task.CompletedTask : Task.Run(() => Remove(record.StoragePath), cancellationToken);
    }

    private void Remove(string destination)
    {
        if (layout.Refuse(disk, destination) is { } refusal) throw new IOException(refusal.Message);
        Directory.CreateDirectory(layout.TrashRoot);
        var aside = Path.Combine(layout.TrashRoot, StagingLayout.IdOf(destination));
        if (Directory.Exists(destination))
        {
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
            Directory.Move(destination, aside);
        }

        if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
        var side = layout.SideDirectory(destination);
        if (Directory.Exists(side)) Directory.Delete(side, recursive: true);
    }
}
