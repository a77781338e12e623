using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>A CRD with a bit of everything, under a group of its own for each test so that tests don't meet.</summary>
internal sealed record CustomResources(string Group)
{
    public const string Plural = "gauges";

    public string CrdPath => $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{Plural}.{Group}";

    public string In(string ns) => $"/apis/{Group}/v1/namespaces/{ns}/{Plural}";

    public string Json(string name, string spec = """{"size":3}""", string more = "") =>
        $$$"""{"apiVersion":"{{{Group}}}/v1","kind":"Gauge","metadata":{"name":"{{{name}}}"},"spec":{{{spec}}}{{{more}}}}""";

    public string Crd => """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"gauges.GROUP"},
         "spec":{"group":"GROUP","scope":"Namespaced",
          "names":{"plural":"gauges","kind":"Gauge","shortNames":["gg"],"categories":["meters"]},
          "versions":[{"name":"v1","served":true,"storage":true,
            "subresources":{"status":{},"scale":{"specReplicasPath":".spec.size","statusReplicasPath":".status.size"}},
            "additionalPrinterColumns":[
              {"name":"Size","type":"integer","jsonPath":".spec.size"},
              {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"},
              {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}],
            "schema":{"openAPIV3Schema":{"type":"object","description":"Gauge measures.","properties":{
              "spec":{"type":"object","description":"What is wanted.","required":["size"],"properties":{
                "size":{"type":"integer","format":"int32","minimum":1,"maximum":10,"description":"How large."},
                "mode":{"type":"string","enum":["Fast","Slow"],"default":"Slow"},
                "code":{"type":"string","pattern":"^[a-z]+$","maxLength":5},
                "tags":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
                "limits":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
                          "items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"value":{"type":"integer"}}}},
                "maybe":{"type":"string","nullable":true},
                "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
                "home":{"type":"object","x-kubernetes-validations":[{"rule":"self.city == oldSelf.city","message":"city cannot change"}],
                        "properties":{"city":{"type":"string"},"street":{"type":"string"}}}}},
              "status":{"type":"object","properties":{"size":{"type":"integer"},"note":{"type":"string"},
                "conditions":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["type"],
                  "items":{"type":"object","required":["type","status"],"properties":{"type":{"type":"string"},"status":{"type":"string"}}}}}}}}}}]}}
        """.Replace("GROUP", Group, StringComparison.Ordinal);

    public static async Task<CustomResources> InstallAsync(RawApi api, string ns, CancellationToken ct)
    {
        var custom = new CustomResources($"{ns}.example.com");
        (await api.PostAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", custom.Crd, ct)).Expect(201);
        await custom.UntilServedAsync(api, ns, ct);
        return custom;
    }

    // A real server learns of a new CRD, or of a change of it, a moment after the write.
    public async Task UntilServedAsync(RawApi api, string ns, CancellationToken ct)
    {
        while ((await api.GetAsync(In(ns), ct)).Code != 200) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, ct);
    }
}
