using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Writing;

namespace Ome.LocalCluster.Controllers;

/// <summary>Serves what CRDs define and says so in their status; removes the objects of a CRD that is being deleted.</summary>
internal sealed class CrdController(ObjectStore store, KindRegistry kinds, ObjectWriter writer, TimeProvider clock)
{
    private const string Group = "apiextensions.k8s.io";

    private readonly ObjectCollection _crds = store.Collection($"customresourcedefinitions.{Group}");

    /// <summary>Runs before the write is answered, so that a client that created a CRD can use it at once.</summary>
    public void OnWritten(ApiResource resource, ObjectKey key)
    {
        if (!ReferenceEquals(resource.Collection, _crds)) return;
        if (store.Get(_crds, key)?.Parse() is not { } crd)
        {
            kinds.Replace(key.Name, []);
            return;
        }
        if (ObjectMetadata.IsDeleting(crd)) return;
        if (IsServed(key.Name, crd)) return;
        kinds.Replace(key.Name, CustomKinds.Build(crd, store));
        writer.Update(resource, key, "status", WithStatus, WriteOptions.Internal);
    }

    public IEnumerable<Action> WorkAfter(ObjectCollection collection, StoreEvent change)
    {
        if (ReferenceEquals(collection, _crds) && change.New is not null) yield return () => CleanUp(change.Key);
        else if (change.New is null && store.Get(_crds, new ObjectKey("", collection.Name)) is { } crd) yield return () => CleanUp(crd.Key);
    }

    private bool IsServed(string name, JsonObject crd) =>
        kinds.OfCrd(name).Count > 0 && crd.Map("status")?.Integer("observedGeneration") == crd.Metadata().Integer("generation");

    private JsonObject WithStatus(JsonObject crd)
    {
        var spec = crd.Child("spec");
        var status = crd.Child("status");
        status["acceptedNames"] = spec["names"]!.DeepClone();
        var stored = status.Texts("storedVersions");
        foreach (var version in spec.List("versions")!.OfType<JsonObject>())
        {
            if ((bool?)version["storage"] == true && !stored.Contains(version.Text("name")!)) stored.Add(version.Text("name")!);
        }
        status["storedVersions"] = stored.ToJsonArray();
        status["observedGeneration"] = crd.Metadata().Integer("generation");
        status["conditions"] ??= new JsonArray(
            Condition("NamesAccepted", "NoConflicts", "no conflicts found"), Condition("Established", "InitialNamesAccepted", "the initial names have been accepted"));
        return crd;
    }

    private JsonObject Condition(string type, string reason, string message) => new()
    {
        ["type"] = type,
        ["status"] = "True",
        ["lastTransitionTime"] = ObjectMetadata.Timestamp(clock.GetUtcNow()),
        ["reason"] = reason,
        ["message"] = message,
    };

    private void CleanUp(ObjectKey key)
    {
        if (store.Get(_crds, key)?.Parse() is not { } crd || !ObjectMetadata.IsDeleting(crd)) return;
        var left = false;
        if (kinds.OfCrd(key.Name) is [var served, ..])
        {
            foreach (var item in store.List(served.Collection).Objects.Keys) left |= !writer.Delete(served, item, DeleteOptions.Internal).Gone;
        }
        if (left || !ObjectMetadata.Finalizers(crd).Contains(ObjectWriter.CrdCleanupFinalizer)) return;
        writer.Update(kinds.Find(Group, "v1", "customresourcedefinitions")!, key, null, live => Unheld(live, ObjectWriter.CrdCleanupFinalizer), WriteOptions.Internal);
    }

    internal static JsonObject Unheld(JsonObject live, string finalizer)
    {
        live.Metadata()["finalizers"] = ObjectMetadata.Finalizers(live).Where(f => f != finalizer).ToJsonArray();
        return live;
    }
}
