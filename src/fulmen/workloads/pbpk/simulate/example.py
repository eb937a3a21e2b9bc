"""A table to start from."""

EXAMPLE = """\
# One row for each subject; `fulmen pbpk simulate --help` says what each column means and what an empty cell stands for.
subject,age_y,sex,weight_kg,compound,log_p,kind,pka,fraction_unbound,blood_plasma_ratio,hepatic_clearance_l_per_h,\
renal_clearance_l_per_h,clint_l_per_h,km_mg_per_l,route,dose_mg,infusion_h,n_doses,interval_h,absorption_rate_per_h,\
bioavailability
adult bolus,35,male,73,midazolam,3.3,base,6.2,0.03,0.66,23,,,,bolus,5,,,,,
infusion,60,female,65,theophylline,0,acid,8.8,0.6,0.82,2.6,0.3,,,infusion,300,0.5,,,,
tablet,28,female,,ibuprofen,4,acid,4.5,0.01,0.55,3.4,,,,oral,400,,,,1.2,0.95
saturable,45,male,90,phenytoin,2.5,acid,8.3,0.12,0.61,,,23,0.6,oral,300,,,,0.3,0.9
child,5,male,19,acetaminophen,0.5,neutral,,0.8,1,15,0.8,,,oral,240,,,,1.5,0.9
"""
